package ext_test

import (
	"strconv"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/ext"
)

func TestInfoTellsOfEveryHandle(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		info, err := ext.Info(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]string{
			"show server_version": info.Version, "select current_user::text": info.User, "show TimeZone": info.Parameters["TimeZone"],
			"show server_encoding": info.Parameters["server_encoding"], "show standard_conforming_strings": info.Parameters["standard_conforming_strings"],
		} {
			if got := word(t, q, query); got != want || got == "" {
				t.Errorf("%s is %q, Info says %q", query, got, want)
			}
		}
		if info.Vendor != "PostgreSQL" || info.BackendPID == 0 || info.Protocol == "" {
			t.Errorf("%+v", info)
		}
		if encrypted := word(t, q, "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()"); encrypted != strconv.FormatBool(info.TLS) {
			t.Errorf("the server says %s of TLS, Info %t", encrypted, info.TLS)
		}
	})
	conn := one(t, db)
	for query, want := range map[string]string{"select 1": "IDLE", "begin": "INTRANS", "select 1/0": "INERROR"} {
		conn.ExecContext(t.Context(), "rollback")
		if want == "INERROR" {
			mustExec(t, conn, "begin")
		}
		conn.ExecContext(t.Context(), query)
		if info, err := ext.Info(t.Context(), conn); err != nil || info.TxStatus.String() != want {
			t.Errorf("after %s: %s, %v, want %s", query, info.TxStatus, err, want)
		}
	}
	_, err := ext.Info(t.Context(), foreignDB(t))
	wantForeign(t, "Info", err)
}

func TestCancelerOfAConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	pid := word(t, conn, "select pg_backend_pid()")
	k, err := ext.NewCanceler(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { _, err := conn.ExecContext(t.Context(), "select pg_sleep(60)"); result <- err }()
	for word(t, db, "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and pid = $1", pid) != "1" {
	}
	if err := k.Cancel(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-result; sqlState(err) != "57014" {
		t.Errorf("%v, want 57014", err)
	}
	mock, expect, err := sqlmock.New()
	if err != nil {
		t.Fatal(err)
	}
	defer mock.Close()
	expect.ExpectExec("canceler").WillReturnResult(sqlmock.NewResult(0, 0))
	if k, err = ext.NewCanceler(t.Context(), one(t, mock)); err != nil || k.Cancel(t.Context()) != nil {
		t.Errorf("on a mock: %v", err)
	}
}
