"""Reads a server's log (log_statement = all, prefix '<application> ') and writes what the tool has sent, text by text."""
import re
import sys

ENTRY = re.compile(r"^<recorded> LOG:  (?:statement|execute [^:]*): (.*)", re.S)
ASKED = re.compile(r"\s*(SELECT\b.*\bFROM\b|SELECT current_schema|SHOW\b|SET (?!CONSTRAINTS|TIME ZONE|LOCAL)|SELECT pg_catalog|SELECT pg_(try_)?advisory)", re.S | re.I)


def texts(log):
    text = None
    for line in log:
        if line.startswith("\t"):
            if text is not None:
                text += "\n" + line[1:].rstrip("\n")
            continue
        if text is not None:
            yield text
        entry = ENTRY.match(line.rstrip("\n"))
        text = entry and entry.group(1)
    if text is not None:
        yield text


sent = []
for text in texts(sys.stdin):
    if ASKED.match(text):
        continue
    if text == "ROLLBACK" and sent[-1:] == ["BEGIN"]:
        sent.pop()
        continue
    sent.append(text)
for text in sent:
    print(f"-- sent\n{text}")
