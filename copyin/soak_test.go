package copyin_test

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/sqltest"
)

// How often the soak kills the client process, and terminates the backends: PYCOPG_SOAK_LOADS, 25 with make soak.
const (
	killsEnv   = "PYCOPG_SOAK_LOADS"
	fewKills   = 2
	killedRows = 24_000
)

// The environment of a process that loads, to be killed.
const (
	childDSN  = "PYCOPG_TEST_LOAD_DSN"
	childFile = "PYCOPG_TEST_LOAD_FILE"
	childKind = "PYCOPG_TEST_LOAD_KIND"
)

// loadKind is one way to load in the soak.
type loadKind struct {
	name, table string
	conflict    copyin.Conflict
	bad         copyin.BadRow
}

var loadKinds = []loadKind{
	{"plain", "create table item (id int, name text)", copyin.ConflictBad, copyin.BadStop},
	{"on conflict nothing", loadTable, copyin.ConflictNothing, copyin.BadStop},
	{"on conflict update", loadTable, copyin.ConflictUpdate, copyin.BadStop},
	{"without bad rows", loadTable, copyin.ConflictBad, copyin.BadSkip},
}

func (k loadKind) options(id string) copyin.LoadOptions {
	return copyin.LoadOptions{Workers: 3, BatchRows: 200, ImportID: id, OnConflict: k.conflict, OnBad: k.bad, RetryDelay: 10 * time.Millisecond}
}

// TestLoadOfAChild is no test: it is the process that TestSoakOfKilledLoads kills.
func TestLoadOfAChild(t *testing.T) {
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		t.Skip("it is run by TestSoakOfKilledLoads")
	}
	kind, err := strconv.Atoi(os.Getenv(childKind))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pycopg", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := copyin.Load(t.Context(), db, "item", copyin.CSVFiles(copyin.CSVOptions{}, os.Getenv(childFile)), loadKinds[kind].options("import"))
	if err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
}

// killSoak is what the runs of the soak share.
type killSoak struct {
	dsn, file, want string
	db              *sql.DB
	missed          int // loads that were hit too early or too late
}

// TestSoakOfKilledLoads kills the process of a load, and terminates the backends of others, somewhere in the middle; then the load is
// run again. What is in the table is exactly what is in the file.
func TestSoakOfKilledLoads(t *testing.T) {
	t.Parallel()
	each := fewKills
	if text, ok := os.LookupEnv(killsEnv); ok {
		var err error
		if each, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", killsEnv, err)
		}
	}
	s := &killSoak{dsn: sqltest.DSN(t, sqltest.Options{})}
	db, err := sql.Open("pycopg", s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s.db = db
	text := trickyCSV(killedRows)
	s.file = csvFile(t, "items.csv", text)
	mustExec(t, db, loadTable)
	if _, err := copyin.CSV(t.Context(), db, "item", strings.NewReader(text), copyin.CSVOptions{}); err != nil {
		t.Fatal(err)
	}
	s.want = s.state(t)
	for i := range each {
		kind := i % len(loadKinds)
		at := killedRows * (5 + (i*37+11)%80) / 100
		s.untilHit(t, loadKinds[kind], func() bool {
			hit := s.killProcess(t, kind, at)
			s.finish(t, loadKinds[kind])
			return hit
		})
		s.untilHit(t, loadKinds[kind], func() bool { return s.terminate(t, kind, at, i%3) })
	}
	t.Logf("%d processes killed, %d loads terminated with 5 to 95 %% loaded; %d more were hit before or behind that", each, each, s.missed)
}

// untilHit runs a load that is killed, until it was hit in the middle: a test that is held up may come too late.
func (s *killSoak) untilHit(t *testing.T, k loadKind, killed func() bool) {
	t.Helper()
	const most = 50
	for range most {
		s.prepare(t, k)
		if killed() {
			return
		}
		s.missed++
	}
	t.Fatalf("%s: none of %d loads was hit in the middle", k.name, most)
}

func (s *killSoak) prepare(t *testing.T, k loadKind) {
	mustExec(t, s.db, "drop table if exists item, copyin_ledger")
	mustExec(t, s.db, k.table)
}

// state is the count of rows and of different ones, and the sum of their hashes.
func (s *killSoak) state(t *testing.T) string {
	return word(t, s.db, "select count(*) || ' ' || count(distinct id) || ' ' || sum(hashtext(i::text)::bigint) from item i")
}

// killProcess kills a process that loads when so many rows are there, and reports whether that was in the middle.
func (s *killSoak) killProcess(t *testing.T, kind, at int) bool {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestLoadOfAChild$")
	cmd.Env = append(os.Environ(), childDSN+"="+s.dsn, childFile+"="+s.file, childKind+"="+strconv.Itoa(kind))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s.waitFor(t, at, ended)
	cmd.Process.Kill()
	if err, ok := <-ended; ok && err != nil && !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process that loads: %v\n%s", err, out.String())
	}
	return s.inMiddle(t)
}

// waitFor waits until so many rows are there, or the load has ended.
func (s *killSoak) waitFor(t *testing.T, rows int, ended chan error) {
	for {
		select {
		case err := <-ended:
			ended <- err
			return
		default:
		}
		if n, _ := strconv.Atoi(word(t, s.db, "select count(*) from item")); n >= rows {
			return
		}
	}
}

// inMiddle reports whether 5 to 95 % are loaded.
func (s *killSoak) inMiddle(t *testing.T) bool {
	n, _ := strconv.Atoi(word(t, s.db, "select count(*) from item"))
	return n >= killedRows*5/100 && n <= killedRows*95/100
}

// finish runs the load again, and compares.
func (s *killSoak) finish(t *testing.T, k loadKind) {
	t.Helper()
	r, err := copyin.Load(t.Context(), s.db, "item", copyin.CSVFiles(copyin.CSVOptions{}, s.file), k.options("import"))
	if err != nil || r.Resumed+r.Read != killedRows || r.Rejected > 0 {
		t.Fatalf("%s: %+v, %v", k.name, r, err)
	}
	s.compare(t, k)
}

func (s *killSoak) compare(t *testing.T, k loadKind) {
	t.Helper()
	if got := s.state(t); got != s.want {
		t.Fatalf("%s: rows, different rows and hashes are %s, want %s", k.name, got, s.want)
	}
}

// terminate ends the backends of a load when so many rows are there. how is 0: the load fails, and is run again; 1: it goes on by
// itself, with a ledger; 2: without one. It reports whether the load was hit in the middle.
func (s *killSoak) terminate(t *testing.T, kind, at, how int) bool {
	k := loadKinds[kind]
	db, err := sql.Open("pycopg", s.dsn+" application_name=loads")
	if strings.Contains(s.dsn, "://") {
		db, err = sql.Open("pycopg", s.dsn+"&application_name=loads")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	o := k.options("import")
	switch how {
	case 0:
		o.Retries = -1
	case 2:
		o.ImportID = ""
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, err := copyin.Load(ctx, db, "item", copyin.CSVFiles(copyin.CSVOptions{}, s.file), o)
		ended <- err
	}()
	s.waitFor(t, at, ended)
	hit := word(t, s.db, "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'loads' and datname = current_database()")
	inMiddle := s.inMiddle(t)
	err = <-ended
	switch {
	case how == 0 && err != nil:
		s.finish(t, k)
		return inMiddle
	case err != nil:
		t.Fatalf("%s, %s backends terminated: %v", k.name, hit, err)
	}
	s.compare(t, k)
	return inMiddle
}
