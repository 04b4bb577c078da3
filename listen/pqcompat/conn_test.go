package pqcompat_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pycopg/pycopg/listen/pqcompat"
)

func TestListenerConn(t *testing.T) {
	t.Parallel()
	db, dsn := setUp(t)
	got := make(chan *pqcompat.Notification, 1000)
	l, err := pqcompat.NewListenerConn(dsn, got)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := l.Listen("a b"); !ok || err != nil {
		t.Errorf("Listen = %v, %v", ok, err)
	}
	if ok, err := l.Listen(""); !ok || err == nil {
		t.Errorf("Listen to nothing = %v, %v", ok, err)
	}
	if ok, err := l.ExecSimpleQuery("selec 1"); !ok || err == nil || !strings.Contains(err.Error(), "42601") {
		t.Errorf("ExecSimpleQuery = %v, %v", ok, err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				if ok, err := l.ExecSimpleQuery(fmt.Sprintf(`notify "a b", '%d'`, i)); !ok || err != nil {
					t.Errorf("ExecSimpleQuery = %v, %v", ok, err)
				}
				if err := l.Ping(); err != nil {
					t.Errorf("Ping = %v", err)
				}
			}
		})
	}
	wg.Wait()
	for range 160 {
		if n := <-got; n.Channel != "a b" || n.BePid == 0 {
			t.Fatalf("got %+v", n)
		}
	}
	for range 3 {
		if _, err := db.Exec("notify \"a b\", 'from outside'"); err != nil {
			t.Fatal(err)
		}
		if n := <-got; n.Extra != "from outside" {
			t.Errorf("got %+v", n)
		}
	}
	for _, unlisten := range []func() (bool, error){func() (bool, error) { return l.Unlisten("a b") }, l.UnlistenAll} {
		if ok, err := unlisten(); !ok || err != nil {
			t.Errorf("Unlisten = %v, %v", ok, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n, ok := <-got; ok {
		t.Errorf("%+v after Close", n)
	}
	if ok, err := l.Listen("b"); ok || err == nil || l.Err() == nil || l.Close() == nil || l.Ping() == nil {
		t.Errorf("after Close: %v, %v, %v", ok, err, l.Err())
	}
}

func TestListenerConnEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	db, dsn := setUp(t)
	got := make(chan *pqcompat.Notification)
	l, err := pqcompat.NewListenerConn(dsn+"&application_name=conn", got)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := db.Exec("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'conn' and datname = current_database()"); err != nil {
		t.Fatal(err)
	}
	if n, ok := <-got; ok {
		t.Errorf("got %+v", n)
	}
	if err := l.Err(); err == nil || !strings.Contains(err.Error(), "57P01") {
		t.Errorf("Err = %v", err)
	}
	if _, err := pqcompat.NewListenerConn("host=127.0.0.1 port=1", got); err == nil {
		t.Error("connected to nothing")
	}
}
