package copyin_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// cutReader gives the first bytes of a text, then an error.
func cutReader(text string, n int) copyin.Source {
	return copyin.CSVReader(&failingReader{data: text[:n], err: errCut}, copyin.CSVOptions{})
}

var errCut = errors.New("the input was cut")

func TestImportGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	const n = 20_000
	text := trickyCSV(n)
	for _, conflict := range []copyin.Conflict{copyin.ConflictBad, copyin.ConflictNothing} {
		t.Run(fmt.Sprint(conflict), func(t *testing.T) {
			t.Parallel()
			db := openItem(t)
			o := small
			o.ImportID, o.OnConflict, o.Truncate = "import", conflict, true
			mustExec(t, db, "insert into item values (5, 'is truncated')")
			var resumed int64
			for i, cut := range []int{100, 4000, len(text) / 2, len(text) / 2, len(text) - 50_000, len(text) - 1} {
				r, err := copyin.Load(t.Context(), db, "item", cutReader(text, cut), o)
				if err != errCut || r.Resumed < resumed {
					t.Fatalf("run %d: %+v, %v", i, r, err)
				}
				if resumed = r.Resumed + r.Stored; word(t, db, "select count(*) from item") != fmt.Sprint(resumed) {
					t.Fatalf("run %d: not %d rows", i, resumed)
				}
				o.BatchRows, o.BatchBytes, o.Workers = o.BatchRows+133, o.BatchBytes+997, 1+i%3
			}
			if resumed < n*3/4 {
				t.Errorf("only %d rows were stored by the runs that were cut", resumed)
			}
			src := func() copyin.Source { return copyin.CSVReader(strings.NewReader(text), copyin.CSVOptions{}) }
			r, err := copyin.Load(t.Context(), db, "item", src(), o)
			if err != nil || r.Resumed != resumed || r.Read != n-resumed || r.Stored != r.Read {
				t.Fatalf("%+v, %v", r, err)
			}
			got := loaded(t, db)
			if r, err = copyin.Load(t.Context(), db, "item", src(), o); err != nil || r.Read != 0 || r.Resumed != n {
				t.Errorf("of a finished import: %+v, %v", r, err)
			}
			mustExec(t, db, "truncate item")
			if _, err := copyin.CSV(t.Context(), db, "item", strings.NewReader(text), copyin.CSVOptions{}); err != nil {
				t.Fatal(err)
			}
			if want := loaded(t, db); got != want {
				t.Errorf("count and hashes are %s, want %s", got, want)
			}
		})
	}
}

func TestImportOfASequenceGoesOn(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	rows := pairs(5000)
	o := copyin.LoadOptions{Workers: 2, BatchRows: 300, ImportID: "rows", Ledger: "pg_catalog_is_not_this"}
	for i, stop := range []int{0, 1, 1000, 2500, 4999} {
		seq := func(yield func([]any, error) bool) {
			for _, row := range rows[:stop] {
				if !yield(row, nil) {
					return
				}
			}
			yield(nil, errCut)
		}
		if r, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(seq), o); err != errCut || r.Resumed+r.Stored > int64(stop) {
			t.Fatalf("run %d: %+v, %v", i, r, err)
		}
		o.BatchRows += 77
	}
	r, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(each(rows)), o)
	if err != nil || r.Resumed < 3000 || r.Resumed+r.Stored != 5000 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := word(t, db, "select count(*) || ' ' || sum(id) from item"); got != "5000 12497500" {
		t.Error(got)
	}
}

func TestImportOfAnotherInputIsRefused(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	mustExec(t, db, "create table other (id int, name text)")
	text := csvText(3000)
	o := small
	o.ImportID = "import"
	if _, err := copyin.Load(t.Context(), db, "item", cutReader(text, len(text)-100), o); err != errCut {
		t.Fatal(err)
	}
	for name, wrong := range map[string]string{
		"changed": strings.Replace(text, "\n500,xx", "\n500,yy", 1), "longer": strings.Replace(text, "\n500,xx", "\n500,xxx", 1),
		"shorter": text[:len(text)/3], "cut in a line": text[:len(text)/3+7], "empty": "id,name\n",
	} {
		before := word(t, db, "select count(*) from item")
		r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(wrong), copyin.CSVOptions{}), o)
		if err == nil || !strings.Contains(err.Error(), "the input is not the one") {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if got := word(t, db, "select count(*) from item"); got != before {
			t.Errorf("%s: %s rows, %s before", name, got, before)
		}
	}
	if _, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(each(pairs(10))), o); err == nil {
		t.Error("a shorter sequence was taken")
	}
	if _, err := copyin.Load(t.Context(), db, "other", copyin.CSVReader(strings.NewReader(text), copyin.CSVOptions{}), o); err == nil || !strings.Contains(err.Error(), `"item"`) {
		t.Errorf("another table: %v", err)
	}
}

func TestLedgerIsMadeByAnotherRunMeanwhile(t *testing.T) {
	t.Parallel()
	db, fault := openBehindFault(t)
	mustExec(t, db, "create table item (id int, name text not null); create domain copyin_ledger as int")
	o := small
	o.ImportID = "import"
	load := func() error {
		_, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(10)), copyin.CSVOptions{}), o)
		return err
	}
	if err := load(); driver.SQLState(err) != "42710" {
		t.Errorf("beside a domain of its name: %v, want the server's error", err)
	}

	gone := make(chan struct{})
	fault.On(sqltest.Rule{Side: sqltest.Backend, Type: 'E', Do: sqltest.ActHold, Until: gone})
	before := errorsSent(fault)
	done := make(chan error, 1)
	go func() { done <- load() }()
	for errorsSent(fault) == before { // the server has refused to make the table
		select {
		case err := <-done:
			t.Fatalf("it was made: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	mustExec(t, db, "drop domain copyin_ledger")
	close(gone)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func errorsSent(f *sqltest.Fault) (n int) {
	for _, traffic := range f.Traffic() {
		n += traffic.Backend['E']
	}
	return n
}

// TestRunsOfAnImportTakeOver starts runs of one import at the same time: the rows are stored once, whoever stores them.
func TestRunsOfAnImportTakeOver(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int, name text not null)")
	text := csvText(20_000)
	var running sync.WaitGroup
	results := make([]error, 4)
	for i := range results {
		running.Go(func() {
			o := small
			o.ImportID = "import"
			_, results[i] = copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(text), copyin.CSVOptions{}), o)
		})
	}
	running.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, copyin.ErrTakenOver) {
			t.Error(err)
		}
	}
	if won == 0 {
		t.Error("no run has finished")
	}
	if got := word(t, db, "select count(*) || ' ' || count(distinct id) from item"); got != "20000 20000" {
		t.Error(got)
	}
}

func TestRejectsOfAResumedImport(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	text := "id,name\nx,1\n1,a\n2,b\ny,2\n3,c\nz,3\n"
	o := copyin.LoadOptions{Workers: 1, BatchRows: 2, ImportID: "import", OnBad: copyin.BadSkip, RejectFile: csvFile(t, "bad", "of an earlier import\n")}
	if r, err := copyin.Load(t.Context(), db, "item", cutReader(text, len(text)-7), o); err != errCut || r.Rejected != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(text), copyin.CSVOptions{}), o); err != nil || r.Rejected != 1 || r.Resumed != 4 {
		t.Fatalf("%+v, %v", r, err)
	}
	r, err := copyin.Load(t.Context(), db, "item", copyin.CSVFiles(copyin.CSVOptions{Mapping: map[string]string{}}, o.RejectFile), copyin.LoadOptions{OnBad: copyin.BadCollect})
	var records []string
	for _, reject := range r.Rejects {
		records = append(records, reject.Record)
	}
	if err != nil || fmt.Sprint(records) != "[x,1 y,2 z,3]" {
		t.Errorf("%v, %v", records, err)
	}
}

func TestLimitOfAnImport(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	o := copyin.LoadOptions{BatchRows: 3, ImportID: "import"}
	for _, limit := range []int64{4, 4, 9, 0} {
		o.Limit = limit
		r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(20)), copyin.CSVOptions{}), o)
		want := limit
		if limit == 0 {
			want = 20
		}
		if err != nil || r.Resumed+r.Stored != want {
			t.Errorf("limit %d: %+v, %v", limit, r, err)
		}
	}
	if got := word(t, db, "select count(*) from item"); got != "20" {
		t.Error(got)
	}
}
