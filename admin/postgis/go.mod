module github.com/pycopg/pycopg/admin/postgis

go 1.26.3

require (
	github.com/pycopg/pycopg v0.0.0
	github.com/twpayne/go-geom v1.6.1
)

replace github.com/pycopg/pycopg => ../..
