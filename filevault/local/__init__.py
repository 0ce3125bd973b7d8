"""The local stack: AWS, tables, logins and servers on one machine. Never imported in production."""
