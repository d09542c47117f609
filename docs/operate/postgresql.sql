-- Run once as an administrator of PostgreSQL:  psql -f docs/operate/postgresql.sql
-- The owner migrates; each part of Piying has an account with the grants of migrations/grants.py, which `piying init` puts in place.
CREATE ROLE piying_owner    LOGIN;
CREATE ROLE piying_vault    LOGIN;
CREATE ROLE piying_intake   LOGIN;
CREATE ROLE piying_analysis LOGIN;
CREATE ROLE piying_console  LOGIN;
CREATE ROLE piying_jobs     LOGIN;
CREATE DATABASE piying_vault OWNER piying_owner;
CREATE DATABASE piying       OWNER piying_owner;
REVOKE ALL ON DATABASE piying_vault FROM PUBLIC;
REVOKE ALL ON DATABASE piying       FROM PUBLIC;
GRANT CONNECT ON DATABASE piying_vault TO piying_vault;
GRANT CONNECT ON DATABASE piying TO piying_intake, piying_analysis, piying_console, piying_jobs;
-- Passwords: \password piying_owner, and so on for each, in psql. They do not belong into this file.
