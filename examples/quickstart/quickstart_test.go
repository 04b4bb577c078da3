package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

// facts are the lines that every full transcript has.
var facts = []string{
	"created zone, reading and the index reading_elevation_idx; reading once more: false",
	"reading.elevation: double precision not null of the sun, in degrees above the horizon",
	"index reading_pkey on zone, at: ",
	"index reading_elevation_idx on elevation: ",
	"table zone: ",
	" MB in all, ",
	"zone has 312 rows",
	"] 100 %  100000 rows",
	"stored 100000 rows in 10 batches",
	"reading has 100000 rows",
	"wrote 307 rows to daylight.csv; it begins",
	"zone,hours,highest",
	"the sun does not set at America/Thule",
	"the sun does not rise at Antarctica/Vostok",
	"312 rows for 2026-06-21: 7 zones with midnight sun, 5 with polar night",
	"CH: the sun stands highest at Europe/Zurich, 65.4° on 21 June 11:00 UTC",
	"26090 rows deleted, the transaction sees 73910",
	"committed: 100000 rows became 73910",
	"73910 rows deleted, the transaction sees 0",
	"rolled back: 73910 rows are still there",
	"Filter: ('CH'::text = ANY (countries))",
	" % of the time: ",
	"read 247 structs: US has the most zones, 29 from America/Adak to Pacific/Honolulu",
	"inserted 247 structs into country",
	"214 countries have a single zone",
	"the pipeline ran 4 statements: ",
	"countries with ten zones or more were counted up",
	"222 places in the northern hemisphere, the farthest from the equator is America/Danmarkshavn at 76.77°",
	"Antarctica/Vostok is the nearest to the South Pole",
	"upserted 2 countries: 1 inserted, 1 updated",
	"the transaction deleted 1 country",
	"deleted 34 more countries, and goes back",
	"committed: country has 247 rows",
	"SQLSTATE 23505: ",
	"table zone, constraint zone_pkey",
	"zone still has 312 rows",
	"NOTICE 00000: counted 312 zones",
	"notified 3 times",
	": Pacific/Auckland, the sun at 29.7°",
	"SQLSTATE 57014: ",
	"the connection goes on",
	"Everything is removed again",
}

func checkFacts(t *testing.T, transcript string) {
	t.Helper()
	for _, fact := range facts {
		if !strings.Contains(transcript, fact) {
			t.Errorf("the transcript lacks %q", fact)
		}
	}
	if t.Failed() {
		t.Log(transcript)
	}
}

func TestRunOnAGivenServer(t *testing.T) {
	t.Parallel()
	dsn := sqltest.DSN(t, sqltest.Options{})
	var out bytes.Buffer
	if err := run(t.Context(), &out, dsn); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	checkFacts(t, out.String())
	checkSchemaDropped(t, dsn, out.String())
}

func TestRunOnAServerOfItsOwn(t *testing.T) {
	t.Parallel()
	if os.Getenv("PYCOPG_TEST_DSN") != "" {
		t.Skip("PYCOPG_TEST_DSN names a server: this machine may have no PostgreSQL programs")
	}
	sqltest.Server(t) // skips or fails where there is no PostgreSQL
	var out bytes.Buffer
	if err := run(t.Context(), &out, ""); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	checkFacts(t, out.String())
	if !strings.Contains(out.String(), "started a throw-away PostgreSQL") {
		t.Error("the transcript does not mention the server it started")
	}
}

func TestInterruptLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dsn := sqltest.DSN(t, sqltest.Options{})
	for name, moment := range map[string]string{
		"before the tables":     ". Create tables",
		"before the zones":      ". Load the zone table",
		"before the readings":   ". Load 100000 readings",
		"inside a transaction":  "delete from reading where",
		"before a slow query":   ". Cancel a query",
		"after the last result": "the connection goes on",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out := interrupter{moment: moment, interrupt: cancel}
			err := run(ctx, &out, dsn)
			if ctx.Err() == nil {
				t.Fatalf("the transcript never said %q: %v", moment, err)
			}
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("error = %v, want the context's", err)
			}
			checkSchemaDropped(t, dsn, out.String())
		})
	}
}

func TestRunReportsAServerItCannotReach(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := run(t.Context(), &out, "host=127.0.0.1 port=1 user=nobody dbname=postgres password=hidden-word")
	if err == nil {
		t.Fatal("no error for a port where nobody listens")
	}
	if !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("the error %q does not name the host", err)
	}
	if strings.Contains(err.Error()+out.String(), "hidden-word") {
		t.Errorf("the error %q shows the password", err)
	}
	if strings.Contains(out.String(), "removed") {
		t.Errorf("the transcript claims to have removed something:\n%s", out.String())
	}
}

// interrupter is a writer that calls interrupt when the text first contains moment.
type interrupter struct {
	bytes.Buffer
	moment    string
	interrupt func()
}

func (w *interrupter) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.moment) {
		w.interrupt()
	}
	return n, err
}

// checkSchemaDropped looks for the schema that the transcript names.
func checkSchemaDropped(t *testing.T, dsn, transcript string) {
	t.Helper()
	schema := regexp.MustCompile(`quickstart_\w+`).FindString(transcript)
	if schema == "" {
		t.Fatalf("the transcript names no schema:\n%s", transcript)
	}
	db, err := sql.Open("pycopg", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var exists bool
	err = db.QueryRowContext(t.Context(), "select to_regnamespace($1) is not null", schema).Scan(&exists)
	if err != nil {
		t.Fatal(err)
	}
	if exists {
		t.Errorf("schema %s is still there", schema)
	}
}
