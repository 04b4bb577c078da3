package docker_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pycopg/pycopg/sqltest"
	"github.com/pycopg/pycopg/sqltest/docker"
)

// image names the image for the tests, "name:tag"; without it the official one is used.
const imageEnv = "PYCOPG_DOCKER_IMAGE"

func options() docker.Options {
	name, tag, _ := strings.Cut(os.Getenv(imageEnv), ":")
	return docker.Options{Image: name, Tag: tag, Settings: map[string]string{"work_mem": "7MB"}, TmpfsSize: "1g"}
}

func TestMain(m *testing.M) {
	os.Setenv("PYCOPG_TEST_DSN", "") // what is to be tested comes last
	os.Setenv("PYCOPG_PG_BINDIR", os.DevNull)
	docker.Register(options())
	os.Exit(m.Run())
}

// start starts the container of the tests, or skips the test with the reason that there is none.
func start(t *testing.T, o docker.Options) *docker.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := docker.Start(ctx, o)
	if err != nil {
		if os.Getenv(imageEnv) != "" { // somebody has set up an engine
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return s
}

func TestContainerIsUsedAgain(t *testing.T) {
	t.Parallel()
	first := start(t, options())
	second := start(t, options())
	if first.Name() != second.Name() || first.DSN("") != second.DSN("") {
		t.Errorf("two containers for the same options: %s and %s", first.Name(), second.Name())
	}
	o := options()
	o.Fresh = true
	fresh := start(t, o)
	if fresh.Name() == first.Name() {
		t.Error("a fresh container is the one of others")
	}
	if err := fresh.Close(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := docker.Provider(o)(ctx); err == nil {
		t.Error("a provider makes a container that nobody closes")
	}
}

func TestDatabasesInAContainer(t *testing.T) {
	t.Parallel()
	start(t, options())
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			db := sqltest.DB(t, sqltest.Options{Migrations: fstest.MapFS{"1.sql": {Data: []byte("create table item (n int)")}}})
			defer sqltest.Check(t, db)
			if _, err := db.ExecContext(t.Context(), "insert into item values (1)"); err != nil {
				t.Fatal(err)
			}
			var n int
			var mem, fsync string
			err := db.QueryRowContext(t.Context(), "select count(*), current_setting('work_mem'), current_setting('fsync') from item").Scan(&n, &mem, &fsync)
			if n != 1 || mem != "7MB" || fsync != "off" || err != nil {
				t.Errorf("%d rows, work_mem %s, fsync %s, %v", n, mem, fsync, err)
			}
		})
	}
}

// A suite of the root module runs in the container as on any server.
func TestSuiteRunsInAContainer(t *testing.T) {
	t.Parallel()
	s := start(t, options())
	cmd := exec.Command("go", "test", "-count=1", "-run", "^Test(Insert|Query|Savepoint|InTx)", "./ext")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOWORK=off", "PYCOPG_TEST_DSN="+s.DSN(""))
	if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("no tests to run")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestErrorsSayWhatIsMissing(t *testing.T) {
	o := options()
	o.Image, o.Tag = "pycopg/no-such-image", "0"
	start(t, options())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := docker.Start(ctx, o); err == nil || !strings.Contains(err.Error(), "image pycopg/no-such-image:0 is not there and cannot be pulled") {
		t.Errorf("error = %v", err)
	}
}

func TestErrorWithoutAnEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	_, err := docker.Start(t.Context(), docker.Options{})
	if err == nil || !strings.Contains(err.Error(), "no Docker engine answers at unix:///nonexistent/docker.sock") {
		t.Errorf("error = %v", err)
	}
}
