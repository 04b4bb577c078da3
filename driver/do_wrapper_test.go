package driver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// formatting writes arguments into the text, as bun does.
type formatting struct{ db *sql.DB }

func (f formatting) ExecContext(ctx context.Context, query string, _ ...any) (sql.Result, error) {
	return f.db.ExecContext(ctx, query)
}

func TestDoReachesTheConnectionWhereArgumentsAreWrittenIntoTheText(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	calls := 0
	n, err := driver.Do(t.Context(), formatting{db}, "no SQL at all", func(context.Context, *driver.Conn) (int64, error) {
		calls++
		return 7, nil
	})
	if n != 7 || err != nil || calls != 1 {
		t.Errorf("Do = %d, %v after %d calls, want 7 after 1", n, err, calls)
	}
}

func TestDoWithAPreparedHandleSaysSo(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	_, err := driver.Do(t.Context(), preparing{db}, "no SQL at all", func(context.Context, *driver.Conn) (int64, error) {
		t.Error("the function ran")
		return 0, nil
	})
	if err == nil || !strings.HasPrefix(err.Error(), "driver: driver.Do got a prepared handle") {
		t.Errorf("Do = %v, want an error that says what to do", err)
	}
}

func TestServerErrorsMarshalAsThoseOfPgx(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	_, err := db.ExecContext(t.Context(), "select 1/0")
	text, marshalErr := json.Marshal(err)
	var fields struct{ Code, Message string }
	if err := json.Unmarshal(text, &fields); err != nil || marshalErr != nil || fields.Code != "22012" || fields.Message != "division by zero" {
		t.Errorf("JSON of the error: %s, %v, %v", text, marshalErr, err)
	}
}
