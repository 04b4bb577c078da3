#!/usr/bin/env bash
# The whole check of a change: formatting, static analysis and the tests of every module, under the installed Go with the race
# detector and under the newest Go that the code knows.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
export GOWORK=off # each module stands on its own

check_format() {
	step "gofumpt"
	local unformatted
	unformatted=$(gofumpt -l .)
	[ -z "$unformatted" ] || fail "not formatted (make fmt repairs it):" "$unformatted"
}

check_docs() {
	step "doc comments"
	go run ./scripts/doccheck .
}

# check_workspace finds modules that go.work forgot: the go command would refuse to work in them.
check_workspace() {
	step "go.work"
	local forgotten
	forgotten=$(comm -13 <(GOWORK="" go list -m -f '{{.Dir}}' | sort) <(in_modules "pwd -P" | sort))
	[ -z "$forgotten" ] || fail "not in go.work (go work use FOLDER repairs it):" "$forgotten"
}

# check_module runs in a module's folder, with the Go that GOTOOLCHAIN names.
check_module() {
	step "$(go version | cut -d' ' -f3): $(go list -m): tidy, build, vet, staticcheck"
	go mod tidy -diff
	go build ./...
	go vet ./...
	staticcheck ./...
}

check_platforms() {
	local target
	for target in windows/amd64 darwin/arm64 linux/386; do
		step "vet for $target: $(go list -m)"
		CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go vet ./...
	done
}

# test_module runs the tests of a module's folder; race is -race or nothing. The peers are other people's code, and the newer Go
# is of interest for what they give, not for what they cost.
test_module() {
	local race=$race packages=./... skip=
	[ -n "$race" ] || skip=^TestSoak # they have run
	if [ "$(go list -m)" = github.com/pycopg/pycopg/peers ]; then
		[ -n "$race" ] || packages=./compat/...
		race=
	fi
	step "$(go version | cut -d' ' -f3): $(go list -m): tests $race"
	go test $race -shuffle=on -timeout=15m -skip="$skip" $packages
}

# in_modules runs a command in the folder of every module.
in_modules() {
	local dir
	for dir in $(module_dirs); do
		(cd "$dir" && $1)
	done
}

check_format
check_docs
check_workspace
check_platforms # the other modules have nothing that differs between them
in_modules check_module
race=-race
in_modules test_module
export GOTOOLCHAIN=$go127
in_modules check_module
race=
in_modules test_module
