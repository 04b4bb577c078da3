# make demo         runs examples/quickstart on a throw-away PostgreSQL, or on DATABASE_URL
# make test         formatting, vet, staticcheck and the tests, under two Go versions, and the driver's through PgBouncer
# make test-pooler  the driver's tests through PgBouncer in transaction mode alone
# make test-matrix  the tests on PostgreSQL 14 to 18, and with TLS and SCRAM (VERSIONS="17 18" for some of them)
# make test-short   a part of the tests on each of these versions
# make test-docker  sqltest/docker with a Docker engine, which is started for it where none runs
# make test-timescale  admin/timescale on Debian 13's PostgreSQL 17 with TimescaleDB, in a folder of its own
# make bench        this driver beside its peers under both Go versions: round trips, CPU, allocations, heap
# make soak         cancellations, restarts and killed loads in large numbers (PYCOPG_SOAK_CANCELS, _RESTARTS, _LOADS)
# make setup        finds PostgreSQL's programs, or installs them where it may
# make fmt          formats every Go file

VERSIONS = 14 15 16 17 18
SHORT_VERSIONS = 14 16 17 18
NEXT_GO = go1.27.4

.NOTPARALLEL:
.PHONY: demo test test-pooler test-matrix test-short test-docker test-timescale soak bench setup fmt

demo:
	@[ -n "$$DATABASE_URL" ] || PYCOPG_TEST_DSN= scripts/setup.sh
	go run ./examples/quickstart

test: setup
	scripts/extras.sh
	scripts/test.sh
	scripts/pooled.sh

test-pooler: setup
	scripts/extras.sh
	scripts/pooled.sh

test-matrix:
	scripts/matrix.sh $(VERSIONS)

test-short:
	scripts/matrix.sh --short $(SHORT_VERSIONS)

test-docker: setup
	scripts/docker.sh

test-timescale:
	scripts/timescale.sh

bench: setup
	cd peers && go run ./bench
	cd peers && GOTOOLCHAIN=$(NEXT_GO) go run ./bench

soak: setup
	scripts/soak.sh

setup:
	@scripts/setup.sh

fmt:
	. scripts/lib.sh; gofumpt -w .
