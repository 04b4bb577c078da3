module github.com/pycopg/pycopg

go 1.26.0
