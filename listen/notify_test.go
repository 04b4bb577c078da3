package listen_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

// received is a connection that listens to a, and a function that takes what has arrived.
func received(t testing.TB, db *sql.DB) (take func() []string) {
	t.Helper()
	conn := pinned(t, db)
	mustExec(t, conn, "listen a")
	return func() []string {
		mustExec(t, conn, "select 1")
		got, err := collect(t, conn, nil, listen.WaitOptions{NoWait: true})
		if err != nil {
			t.Error(err)
		}
		return got
	}
}

func TestNotifyIsDeliveredAtTheCommit(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	take := received(t, db)
	notify(t, db, "a", "", strings.Repeat("x", 7999))
	if got := take(); len(got) != 2 || got[0] != "" || len(got[1]) != 7999 {
		t.Errorf("%d notifications", len(got))
	}
	for _, commit := range []bool{true, false} {
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if err := listen.Notify(t.Context(), tx, "a", "tx"); err != nil {
			t.Error(err)
		}
		if got := take(); got != nil {
			t.Errorf("before the commit: %q", got)
		}
		if !commit {
			tx.Rollback()
			if got := take(); got != nil {
				t.Errorf("after the rollback: %q", got)
			}
			continue
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := take(); !slices.Equal(got, []string{"tx"}) {
			t.Errorf("after the commit: %q", got)
		}
	}
}

func TestNotifyJSONAndDecode(t *testing.T) {
	t.Parallel()
	type job struct {
		ID   int
		Kind string
	}
	db := sqltest.DB(t, sqltest.Options{})
	take := received(t, db)
	if err := listen.NotifyJSON(t.Context(), db, "a", job{7, "mail"}); err != nil {
		t.Fatal(err)
	}
	got, err := listen.Decode[job](listen.Notification{Channel: "a", Payload: take()[0]})
	if err != nil || got != (job{7, "mail"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := listen.Decode[job](listen.Notification{Channel: "jobs", Payload: "{"}); err == nil || !strings.Contains(err.Error(), `"jobs"`) {
		t.Errorf("Decode = %v", err)
	}
	if err := listen.NotifyJSON(t.Context(), db, "a", func() {}); err == nil {
		t.Error("a function became JSON")
	}
}

func TestNotifyRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	db, _, err := sqlmock.New() // expects nothing
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("é", 32)
	for _, tt := range []struct {
		channel, payload string
		want             error
		rule             string
	}{
		{"", "", listen.ErrChannel, "empty"},
		{long, "", listen.ErrChannel, "63"},
		{"a\x00", "", listen.ErrChannel, "NUL"},
		{"\xff", "", listen.ErrChannel, "UTF-8"},
		{"a", strings.Repeat("x", 8000), listen.ErrPayload, "shorter than 8000"},
		{"a", "b\x00", listen.ErrPayload, "NUL"},
		{"a", "\xff", listen.ErrPayload, "UTF-8"},
	} {
		err := listen.Notify(t.Context(), db, tt.channel, tt.payload)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.rule) {
			t.Errorf("%q, %d bytes: %v, want %q", tt.channel, len(tt.payload), err, tt.rule)
		}
		if err := listen.NotifyMany(t.Context(), db, []listen.Message{{"fine", ""}, {tt.channel, tt.payload}}); !errors.Is(err, tt.want) {
			t.Errorf("many: %v", err)
		}
		if err := listen.NewNotifier(db, listen.NotifierOptions{}).Notify(t.Context(), tt.channel, tt.payload); !errors.Is(err, tt.want) {
			t.Errorf("notifier: %v", err)
		}
	}
}

func TestAStandbyIsRefused(t *testing.T) {
	t.Parallel()
	ask := sqltest.Script{sqltest.Accept(), sqltest.ExpectSQL("select pg_catalog.pg_notify($1, $2)")}
	for name, script := range map[string]sqltest.Script{
		"before sending":           {standby()},
		"by an old server's words": {ask, sqltest.ReplyError("25006", "cannot execute NOTIFY during recovery", 'I')},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := fakeDB(t, sqltest.NewFake(t, script), nil)
			err := listen.Notify(t.Context(), db, "a", "x")
			if !errors.Is(err, listen.ErrStandby) || !strings.Contains(err.Error(), "target_session_attrs=primary") {
				t.Errorf("error = %v", err)
			}
			db.Close()
		})
	}
}

func TestNotifyUnderAMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	mock.ExpectExec("select pg_catalog.pg_notify($1, $2)").WillReturnResult(sqlmock.NewResult(0, 1))
	if err := listen.Notify(t.Context(), db, "a", "x"); err != nil {
		t.Error(err)
	}
	want := errors.New("expected by the test")
	mock.ExpectExec("select pg_catalog.pg_notify($1, $2)").WillReturnError(want)
	if err := listen.Notify(t.Context(), db, "a", "x"); !errors.Is(err, want) {
		t.Errorf("error = %v", err)
	}
}

func TestNotifyManyKeepsTheOrder(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	take := received(t, db)
	var messages []listen.Message
	var want []string
	for i := range 500 {
		want = append(want, fmt.Sprint(i, `'"\,{}`))
		messages = append(messages, listen.Message{Channel: "a", Payload: want[i]})
	}
	if err := listen.NotifyMany(t.Context(), db, append(messages, messages[0])); err != nil {
		t.Fatal(err)
	}
	if got := take(); !slices.Equal(got, want) {
		t.Errorf("got %d notifications, %q …", len(got), got[:min(3, len(got))])
	}
	if err := listen.NotifyMany(t.Context(), nil, nil); err != nil {
		t.Errorf("no messages: %v", err)
	}
}
