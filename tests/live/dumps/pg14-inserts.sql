--
-- PostgreSQL database dump
--

-- Dumped from database version 14.22
-- Dumped by pg_dump version 14.10 (Ubuntu 14.10-0ubuntu0.22.04.1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: Odd "S"; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA "Odd ""S""";


--
-- Name: email; Type: DOMAIN; Schema: public; Owner: -
--

CREATE DOMAIN public.email AS character varying(80)
	CONSTRAINT email_check CHECK (((VALUE)::text <> 'x'::text));


--
-- Name: mood; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.mood AS ENUM (
    'sad',
    'it''s ok, fine'
);


--
-- Name: double(integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.double(i integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT (i * 2);
END;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: T able.é; Type: TABLE; Schema: Odd "S"; Owner: -
--

CREATE TABLE "Odd ""S"""."T able.é" (
    "a;b" integer NOT NULL,
    "(c)" text,
    "--d" text
);


--
-- Name: par; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.par (
    id integer NOT NULL,
    a text NOT NULL
);


--
-- Name: chi; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.chi (
    b text
)
INHERITS (public.par);


--
-- Name: ev; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ev (
    id integer,
    at date
)
PARTITION BY RANGE (at);


--
-- Name: ev1; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ev1 (
    id integer,
    at date
);


--
-- Name: ev2; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ev2 (
    id integer,
    at date
);


--
-- Name: first_null; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.first_null (
    a text,
    b integer
);


--
-- Name: ident; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ident (
    id integer NOT NULL,
    t text
);


--
-- Name: ident_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.ident ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ident_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: nocols; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.nocols (
);


--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id bigint NOT NULL,
    name text NOT NULL,
    email public.email,
    m public.mood,
    tags text[],
    raw bytea,
    j jsonb,
    n numeric(12,3),
    f double precision,
    ts timestamp with time zone,
    iv interval,
    ok boolean,
    bits bit varying(10),
    ch character(5),
    money money,
    twice integer GENERATED ALWAYS AS ((1 + 2)) STORED
);


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: users_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;


--
-- Name: v; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.v AS
 SELECT par.id,
    public.double(par.id) AS double
   FROM public.par;


--
-- Name: ev1; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ev ATTACH PARTITION public.ev1 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');


--
-- Name: ev2; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ev ATTACH PARTITION public.ev2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');


--
-- Name: users id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);


--
-- Data for Name: T able.é; Type: TABLE DATA; Schema: Odd "S"; Owner: -
--

INSERT INTO "Odd ""S"""."T able.é" VALUES (1, NULL, 'x');
INSERT INTO "Odd ""S"""."T able.é" VALUES (2, '', '\.');
INSERT INTO "Odd ""S"""."T able.é" VALUES (3, '\N', '');


--
-- Data for Name: chi; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.chi VALUES (2, 'c', 'd');


--
-- Data for Name: ev1; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.ev1 VALUES (1, '2024-12-30');
INSERT INTO public.ev1 VALUES (2, '2024-12-31');


--
-- Data for Name: ev2; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.ev2 VALUES (3, '2025-01-01');
INSERT INTO public.ev2 VALUES (4, '2025-01-02');
INSERT INTO public.ev2 VALUES (5, '2025-01-03');
INSERT INTO public.ev2 VALUES (6, '2025-01-04');


--
-- Data for Name: first_null; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.first_null VALUES (NULL, 1);
INSERT INTO public.first_null VALUES ('', NULL);
INSERT INTO public.first_null VALUES ('\.', 3);
INSERT INTO public.first_null VALUES ('a
b', 4);


--
-- Data for Name: ident; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.ident OVERRIDING SYSTEM VALUE VALUES (1, 'x1');
INSERT INTO public.ident OVERRIDING SYSTEM VALUE VALUES (2, 'x2');
INSERT INTO public.ident OVERRIDING SYSTEM VALUE VALUES (3, 'x3');
INSERT INTO public.ident OVERRIDING SYSTEM VALUE VALUES (4, 'x4');


--
-- Data for Name: nocols; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.nocols DEFAULT VALUES;


--
-- Data for Name: par; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.par VALUES (1, 'p');


--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.users VALUES (1, 'row 1	
\ ''"x"; \. $$', 'u1@example.com', 'it''s ok, fine', '{"a,b","{\"x\"}",NULL,"\\"}', '\xc4ca4238a0b923820dcc509a6f75849b', '{"a": [1, "ä"]}', -0.333, 1, '2024-01-01 01:00:00+00', '1 year 2 days 03:04:05.5', false, B'0101', 'ab   ', '$12.50', DEFAULT);
INSERT INTO public.users VALUES (2, 'row 2	
\ ''"x"; \. $$', 'u2@example.com', 'it''s ok, fine', '{"a,b","{\"x\"}",NULL,"\\"}', '\xc81e728d9d4c2f636f067f89cc14862c', '{"a": [1, "ä"]}', -0.667, 0.5, '2024-01-01 02:00:00+00', '1 year 2 days 03:04:05.5', true, B'0101', 'ab   ', '$12.50', DEFAULT);
INSERT INTO public.users VALUES (3, 'row 3	
\ ''"x"; \. $$', 'u3@example.com', 'it''s ok, fine', '{"a,b","{\"x\"}",NULL,"\\"}', '\xeccbc87e4b5ce2fe28308fd9f2a7baf3', '{"a": [1, "ä"]}', -1.000, 0.3333333333333333, '2024-01-01 03:00:00+00', '1 year 2 days 03:04:05.5', false, B'0101', 'ab   ', '$12.50', DEFAULT);
INSERT INTO public.users VALUES (4, 'row 4	
\ ''"x"; \. $$', 'u4@example.com', 'it''s ok, fine', '{"a,b","{\"x\"}",NULL,"\\"}', '\xa87ff679a2f3e71d9181a67b7542122c', '{"a": [1, "ä"]}', -1.333, 0.25, '2024-01-01 04:00:00+00', '1 year 2 days 03:04:05.5', true, B'0101', 'ab   ', '$12.50', DEFAULT);
INSERT INTO public.users VALUES (5, '', 'u5@example.com', 'it''s ok, fine', '{"a,b","{\"x\"}",NULL,"\\"}', '\xe4da3b7fbbce2345d7772b0674a318d5', '{"a": [1, "ä"]}', -1.667, 0.2, '2024-01-01 05:00:00+00', '1 year 2 days 03:04:05.5', false, B'0101', 'ab   ', '$12.50', DEFAULT);
INSERT INTO public.users VALUES (6, 'row 6	
\ ''"x"; \. $$', 'u6@example.com', 'it''s ok, fine', '{"a,b","{\"x\"}",NULL,"\\"}', '\x1679091c5a880faf6fb5e6087eb1b2dc', '{"a": [1, "ä"]}', -2.000, 0.16666666666666666, '2024-01-01 06:00:00+00', '1 year 2 days 03:04:05.5', true, B'0101', 'ab   ', '$12.50', DEFAULT);


--
-- Name: ident_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.ident_id_seq', 4, true);


--
-- Name: users_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.users_id_seq', 6, true);


--
-- Name: T able.é T able.é_pkey; Type: CONSTRAINT; Schema: Odd "S"; Owner: -
--

ALTER TABLE ONLY "Odd ""S"""."T able.é"
    ADD CONSTRAINT "T able.é_pkey" PRIMARY KEY ("a;b");


--
-- Name: ident ident_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ident
    ADD CONSTRAINT ident_pkey PRIMARY KEY (id);


--
-- Name: par par_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.par
    ADD CONSTRAINT par_pkey PRIMARY KEY (id);


--
-- Name: users users_email_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

