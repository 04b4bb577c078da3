package copyin_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/sqltest"
)

// TestLoadSurvivesLostConnections cuts connections at each kind of message, the answers of commits among them, and loads on:
// every row is stored once, with and without a ledger. The table takes rows twice.
func TestLoadSurvivesLostConnections(t *testing.T) {
	t.Parallel()
	stages := map[string]sqltest.Rule{
		"a statement":            {Side: sqltest.Frontend, Type: 'Q'},
		"a statement with args":  {Side: sqltest.Frontend, Type: 'P'},
		"the answer of a COPY":   {Side: sqltest.Backend, Type: 'G'},
		"data":                   {Side: sqltest.Frontend, Type: 'd', Do: sqltest.ActReset},
		"the end of data":        {Side: sqltest.Frontend, Type: 'c', After: true},
		"the answer of anything": {Side: sqltest.Backend, Type: 'C'},
		"the end of an answer":   {Side: sqltest.Backend, Type: 'Z', Do: sqltest.ActReset},
	}
	const n = 3000
	for stage, rule := range stages {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			dsn := sqltest.DSN(t, sqltest.Options{})
			fault := sqltest.Server(t).Fault(t)
			db, err := sql.Open("pycopg", fault.DSN(dsn))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			direct, err := sql.Open("pycopg", dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer direct.Close()
			mustExec(t, direct, "create table item (id int, name text)")
			var hits []<-chan struct{}
			for nth := 1; nth < 24; nth += 2 {
				o := copyin.LoadOptions{Workers: 2, BatchRows: 150, RetryDelay: time.Millisecond, Truncate: true}
				if nth%4 > 1 {
					o.ImportID = fmt.Sprint(nth)
				}
				rule.Nth = nth
				hits = append(hits, fault.On(rule))
				r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(n)), copyin.CSVOptions{}), o)
				if err != nil {
					t.Fatalf("%d: %+v, %v", nth, r, err)
				}
				if got := word(t, direct, "select count(*) || ' ' || count(distinct id) from item"); got != "3000 3000" {
					t.Fatalf("%d: %s rows and different rows; %+v", nth, got, r)
				}
			}
			done := 0
			for _, hit := range hits {
				select {
				case <-hit:
					done++
				default:
				}
			}
			if done < len(hits)/2-1 {
				t.Errorf("only %d of %d faults have happened", done, len(hits))
			}
		})
	}
}

func TestLoadTriesAgain(t *testing.T) {
	t.Parallel()
	for code, retried := range map[string]bool{"40001": true, "40P01": true, "55P03": true, "57P03": true, "08006": true, "53100": false, "57014": false, "XX000": false} {
		db := openItem(t)
		mustExec(t, db, `create sequence tries; create function f() returns trigger language plpgsql as $$ begin
			if nextval('tries') % 4 > 0 then raise 'not now' using errcode = '`+code+`'; end if; return null; end $$;
			create trigger f after insert on item for each statement execute function f()`)
		load := func(o copyin.LoadOptions) (copyin.LoadResult, error) {
			o.RetryDelay, o.Workers, o.BatchRows, o.Truncate = time.Millisecond, 1, 100, true
			return copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(200)), copyin.CSVOptions{}), o)
		}
		r, err := load(copyin.LoadOptions{OnBad: copyin.BadSkip})
		switch {
		case retried && (err != nil || r.Retries != 6 || r.Stored != 200):
			t.Errorf("%s: %+v, %v", code, r, err)
		case !retried && (sqlState(err) != code || r.Retries != 0 || r.Stored+r.Rejected != 0):
			t.Errorf("%s: %+v, %v", code, r, err)
		}
		mustExec(t, db, "select setval('tries', 4)")
		for _, retries := range []int{-1, 2} {
			r, err := load(copyin.LoadOptions{Retries: retries})
			if sqlState(err) != code || r.Stored != 0 || retried && r.Retries != int64(max(retries, 0)) {
				t.Errorf("%s, %d retries: %+v, %v", code, retries, r, err)
			}
			mustExec(t, db, "select setval('tries', 4)")
		}
	}
}

func TestLoadIntoAReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(20)), copyin.CSVOptions{}),
		copyin.LoadOptions{Settings: map[string]string{"transaction_read_only": "on"}, OnBad: copyin.BadSkip})
	if sqlState(err) != "25006" || r.Stored+r.Rejected != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	var row *copyin.RowError
	if errors.As(err, &row) {
		t.Errorf("the error is that of row %d", row.Row)
	}
}
