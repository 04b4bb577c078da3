package copyin_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/copyin"
)

// badTable refuses rows in many ways.
const badTable = `create table parent (id int primary key); insert into parent select generate_series(1, 10);
	create table item (id int primary key check (id <> 13), name varchar(5) not null, parent int references parent deferrable initially deferred);
	insert into item values (77, 'old', 1);
	create function f() returns trigger language plpgsql as $$ begin if new.name = 'trap' then raise 'no traps'; end if; return new; end $$;
	create trigger f before insert on item for each row execute function f()`

// badLines are the lines of a file that badTable refuses, by their number.
var badLines = map[int]string{
	3: "x,a,1", 14: "13,a,1", 40: "40,too long,1", 41: "41,,1", 60: "60,trap,1", 61: "60000000000,a,1", 78: "77,a,1",
	80: "80,a,11", 81: "81,a", 82: "82,a,1,1", 120: "1002,a,1", 150: "150,\"too\nlong\",1", 190: "190,a,12",
}

// badCSV is a file of 200 rows, of which those are bad.
func badCSV() (text string, bad map[int64]string) {
	bad = make(map[int64]string)
	var b strings.Builder
	b.WriteString("id,name,parent\n")
	line := int64(2)
	for n := 2; n <= 201; n++ {
		record := fmt.Sprintf("%d,\"a\n\",%d", 1000+n, n%10+1)
		if n%3 > 0 {
			record = fmt.Sprintf("%d,ab,%d", 1000+n, n%10+1)
		}
		if wrong, ok := badLines[n]; ok {
			record = wrong
			bad[line] = record
		}
		b.WriteString(record + "\n")
		line += int64(strings.Count(record, "\n")) + 1
	}
	return b.String(), bad
}

func TestLoadLeavesBadRowsOut(t *testing.T) {
	t.Parallel()
	text, bad := badCSV()
	for _, conflict := range []copyin.Conflict{copyin.ConflictBad, copyin.ConflictNothing, copyin.ConflictUpdate} {
		for _, rows := range []int{1, 30, 1000} {
			for _, unterminated := range []bool{false, true} {
				t.Run(fmt.Sprint(conflict, rows, unterminated), func(t *testing.T) {
					t.Parallel()
					testBadRows(t, text, bad, conflict, rows, unterminated)
				})
			}
		}
	}
}

func testBadRows(t *testing.T, text string, bad map[int64]string, conflict copyin.Conflict, rows int, unterminated bool) {
	db := openDB(t)
	mustExec(t, db, badTable)
	file := filepath.Join(t.TempDir(), "bad.csv")
	if unterminated {
		text += "201,\"open\n"
	}
	o := copyin.LoadOptions{Workers: 1, BatchRows: rows, OnBad: copyin.BadCollect, RejectFile: file, OnConflict: conflict}
	r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(text), copyin.CSVOptions{}), o)
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[int64]string)
	for line, record := range bad {
		if keyed := record == "77,a,1" || record == "1002,a,1"; !keyed || conflict == copyin.ConflictBad {
			want[line] = record
		}
	}
	read := int64(200)
	if unterminated {
		last := int64(strings.Count(text, "\n"))
		want[last] = "201,\"open"
		read++
	}
	got := make(map[int64]string)
	for _, reject := range r.Rejects {
		got[reject.Err.Row] = reject.Record
		if reject.Err.Err == nil || sqlState(reject.Err) == "" {
			t.Errorf("row %d: no cause", reject.Err.Row)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rejected %v, want %v", got, want)
	}
	if r.Read != read || r.Rejected != int64(len(want)) || r.Stored+r.Skipped+r.Rejected != read {
		t.Errorf("%+v", r)
	}
	if count := word(t, db, "select count(*) from item"); conflict == copyin.ConflictBad && count != fmt.Sprint(r.Stored+1) {
		t.Errorf("%s rows, stored %d", count, r.Stored)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantFile := "id,name,parent\n"
	for _, reject := range r.Rejects {
		wantFile += reject.Record + "\n"
	}
	if string(kept) != wantFile {
		t.Errorf("reject file %q, want %q", kept, wantFile)
	}
	reasons, err := os.ReadFile(file + ".log")
	if err != nil || strings.Count(string(reasons), "row ") < len(want) || conflict == copyin.ConflictBad && !strings.Contains(string(reasons), "no traps") {
		t.Errorf("log %q, %v", reasons, err)
	}
}

func TestLoadStopsAtABadRow(t *testing.T) {
	t.Parallel()
	text, bad := badCSV()
	var lines []int64
	for line := range bad {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	for _, rows := range []int{1, 7, 1000} {
		db := openDB(t)
		mustExec(t, db, badTable)
		name := csvFile(t, "bad.csv", text)
		r, err := copyin.Load(t.Context(), db, "item", copyin.CSVFiles(copyin.CSVOptions{}, name), copyin.LoadOptions{Workers: 1, BatchRows: rows})
		var row *copyin.RowError
		if !errors.As(err, &row) || row.Row != lines[0] || row.Column != "id" || row.Value != "x" || !strings.Contains(err.Error(), name) {
			t.Errorf("%d rows a batch: %+v, %v", rows, r, err)
		}
		if got := word(t, db, "select count(*) - 1 from item"); got != fmt.Sprint(r.Stored) {
			t.Errorf("%s rows, stored %d", got, r.Stored)
		}
	}
}

func TestLoadOfTooManyBadRows(t *testing.T) {
	t.Parallel()
	text, bad := badCSV()
	for most, want := range map[int64]error{int64(len(bad)): nil, int64(len(bad) - 1): copyin.ErrTooManyBad, 1: copyin.ErrTooManyBad} {
		db := openDB(t)
		mustExec(t, db, badTable)
		o := copyin.LoadOptions{BatchRows: 20, OnBad: copyin.BadSkip, MaxBad: most}
		r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(text), copyin.CSVOptions{}), o)
		if !errors.Is(err, want) || err == nil && len(r.Rejects) > 0 {
			t.Errorf("%d allowed: %+v, %v", most, r, err)
		}
	}
}

func TestLoadLeavesBadRowsOfASequenceOut(t *testing.T) {
	t.Parallel()
	rows := pairs(300)
	rows[0] = []any{1.5, "fraction"}
	rows[10] = []any{10, nil}
	rows[11] = []any{11, "a\tb\\", "extra"}
	rows[12] = []any{12, make(chan int)}
	rows[20] = []any{9, "twice"}
	rows[299] = []any{int64(1) << 40, "large"}
	for _, size := range []int{9, 50, 1000} {
		db := openDB(t)
		mustExec(t, db, loadTable)
		file := filepath.Join(t.TempDir(), "bad")
		o := copyin.LoadOptions{Workers: 1, BatchRows: size, OnBad: copyin.BadCollect, RejectFile: file}
		r, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(each(rows)), o)
		if err != nil || r.Read != 300 || r.Rejected != 6 || r.Stored != 294 {
			t.Fatalf("%d rows a batch: %+v, %v", size, r, err)
		}
		var numbers []int64
		for _, reject := range r.Rejects {
			numbers = append(numbers, reject.Err.Row)
		}
		slices.Sort(numbers)
		if want := []int64{1, 11, 12, 13, 21, 300}; !slices.Equal(numbers, want) {
			t.Errorf("%d rows a batch: rows %d, want %d", size, numbers, want)
		}
		kept, _ := os.ReadFile(file)
		for _, record := range []string{"1.5\tfraction\n", "10\t\\N\n", "11\ta\\tb\\\\\textra\n", "9\ttwice\n", "1099511627776\tlarge\n"} {
			if !strings.Contains(string(kept), record) {
				t.Errorf("%d rows a batch: reject file %q lacks %q", size, kept, record)
			}
		}
	}
	_, err := copyin.Load(t.Context(), openItem(t), "item", copyin.Sequence(each(rows)), copyin.LoadOptions{BatchRows: 7})
	var row *copyin.RowError
	if !errors.As(err, &row) || row.Row != 1 || row.Column != "id" {
		t.Errorf("%#v", err)
	}
	r, err := copyin.Load(t.Context(), openItem(t), "item", copyin.Sequence(each(append(pairs(20), []any{20, make(chan int)}))), copyin.LoadOptions{BatchRows: 7})
	if !errors.As(err, &row) || row.Row != 21 || row.Column != "name" || r.Stored != 20 {
		t.Errorf("%+v, %v", r, err)
	}
	_, err = copyin.Load(t.Context(), openItem(t), "item", copyin.Sequence(each(append(pairs(30), []any{5, "twice"}))), copyin.LoadOptions{BatchRows: 7, Workers: 1})
	if !errors.As(err, &row) || row.Row != 31 || sqlState(err) != "23505" {
		t.Errorf("%v", err)
	}
}

func TestLoadWithTriggersThatLeaveRowsOut(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	mustExec(t, db, `create function f() returns trigger language plpgsql as $$ begin if new.id = 7 then return null; end if; return new; end $$;
		create trigger f before insert on item for each row execute function f()`)
	src := func() copyin.Source { return copyin.CSVReader(strings.NewReader(csvText(20)), copyin.CSVOptions{}) }
	if r, err := copyin.Load(t.Context(), db, "item", src(), copyin.LoadOptions{}); !errors.Is(err, copyin.ErrRowCount) || r.Stored != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := copyin.Load(t.Context(), db, "item", src(), copyin.LoadOptions{NoRowCheck: true}); err != nil || r.Stored != 19 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRejectFileOfOneLayout(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	a, b := csvFile(t, "a.csv", "id,name\nx,y\n"), csvFile(t, "b.csv", "name,id\ny,x\n")
	o := copyin.LoadOptions{OnBad: copyin.BadSkip, RejectFile: filepath.Join(t.TempDir(), "bad.csv")}
	if _, err := copyin.Load(t.Context(), db, "item", copyin.CSVFiles(copyin.CSVOptions{}, a, b), o); err == nil || !strings.Contains(err.Error(), b) {
		t.Error(err)
	}
	if r, err := copyin.Load(t.Context(), db, "item", copyin.CSVFiles(copyin.CSVOptions{}, a, a), o); err != nil || r.Rejected != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}
