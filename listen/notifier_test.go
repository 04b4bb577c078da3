package listen_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

// notifyMany is the statement of a batch.
const notifyMany = "select pg_catalog.count(pg_catalog.pg_notify(n.channel, n.payload)) " +
	"from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) as n (channel, payload)"

func TestNotifierSendsManyWithFewStatements(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	take := received(t, db)
	n := listen.NewNotifier(db, listen.NotifierOptions{MaxBatch: 300})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				if err := n.Notify(t.Context(), "a", fmt.Sprintf("%d/%d", g, i/2)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { result <- n.Run(ctx) }()
	if err := n.Flush(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if s := n.Stats(); s != (listen.NotifierStats{Sent: 400, Coalesced: 400, Batches: 2}) {
		t.Errorf("stats = %+v", s)
	}
	last := map[string]int{}
	for _, payload := range take() {
		var g, i int
		fmt.Sscanf(payload, "%d/%d", &g, &i)
		if key := fmt.Sprint(g); last[key] != i {
			t.Fatalf("%s: want %d", payload, last[key])
		} else {
			last[key]++
		}
	}
	n.Notify(t.Context(), "a", "the last one")
	cancel()
	if err := <-result; err != nil {
		t.Errorf("Run = %v", err)
	}
	if got := take(); !slices.Equal(got, []string{"the last one"}) {
		t.Errorf("at the end: %q", got)
	}
	if err := n.Notify(t.Context(), "a", ""); !errors.Is(err, listen.ErrStopped) {
		t.Errorf("after Run: %v", err)
	}
}

func TestNotifierBlocksAndReportsFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := sqltest.NewFake(t, sqltest.Script{
			sqltest.Accept(),
			sqltest.ExpectSQL(notifyMany), sqltest.ReplyError("53200", "out of memory", 'I'),
			sqltest.ExpectSQL(notifyMany), sqltest.ReplyError("53200", "out of memory", 'I'),
		})
		db := fakeDB(t, f, nil)
		defer db.Close()
		var failed []listen.Message
		n := listen.NewNotifier(db, listen.NotifierOptions{
			Delay: time.Second, MaxPending: 2, OnError: func(messages []listen.Message, err error) { failed = append(failed, messages...) },
		})
		n.Notify(t.Context(), "a", "1")
		n.Notify(t.Context(), "a", "2")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := n.Notify(ctx, "a", "3"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("full: %v", err)
		}
		cancel()
		ctx, cancel = context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- n.Run(ctx) }()
		if err := n.Notify(t.Context(), "a", "3"); err != nil {
			t.Error(err)
		}
		if err := n.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-result; err != nil || len(failed) != 3 {
			t.Errorf("Run = %v, failed %v", err, failed)
		}
	})
}

// describesBatch answers the preparation of the statement of a batch.
func describesBatch() sqltest.Step {
	return sqltest.Reply(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{1009, 1009}},
		&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("count"), DataTypeOID: 20}}},
		&pgproto3.ReadyForQuery{TxStatus: 'I'})
}

// counts answers the statement of a batch.
func counts(count string) sqltest.Step {
	return sqltest.Reply(&pgproto3.BindComplete{}, &pgproto3.DataRow{Values: [][]byte{[]byte(count)}},
		&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
}

func TestTheEndOfRunCutsNoBatch(t *testing.T) {
	t.Parallel()
	for name, onError := range map[string]func([]listen.Message, error){
		"without OnError": nil,
		"with OnError":    func(messages []listen.Message, err error) { t.Errorf("%v: %v", messages, err) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				answer := make(chan struct{})
				f := sqltest.NewFake(t, sqltest.Script{
					sqltest.Accept(),
					sqltest.ExpectSQL(notifyMany), describesBatch(), sqltest.ExpectSync(), sqltest.Await(answer), counts("1"),
					sqltest.ExpectSQL(notifyMany), sqltest.Reply(&pgproto3.ParseComplete{}), counts("2"),
				})
				db := fakeDB(t, f, nil)
				defer db.Close()
				n := listen.NewNotifier(db, listen.NotifierOptions{OnError: onError})
				n.Notify(t.Context(), "a", "1")
				ctx, cancel := context.WithCancel(t.Context())
				result := make(chan error)
				go func() { result <- n.Run(ctx) }()
				time.Sleep(time.Second)
				n.Notify(t.Context(), "a", "2")
				n.Notify(t.Context(), "a", "1") // equal to one that waits no more
				cancel()
				time.Sleep(4 * time.Second)
				close(answer)
				if err := n.Flush(t.Context()); err != nil {
					t.Errorf("Flush = %v", err)
				}
				if err := <-result; err != nil {
					t.Errorf("Run = %v", err)
				}
				if s := n.Stats(); s != (listen.NotifierStats{Sent: 3, Batches: 2}) {
					t.Errorf("stats = %+v", s)
				}
			})
		})
	}
}

func TestRunEndsFiveSecondsAfterItsContext(t *testing.T) {
	t.Parallel()
	for name, onError := range map[string]bool{"without OnError": false, "with OnError": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := sqltest.NewFake(t, sqltest.Script{sqltest.Accept(), sqltest.ExpectSQL(notifyMany), sqltest.ReplyCancelled('I')})
				db := fakeDB(t, f, nil)
				defer db.Close()
				o := listen.NotifierOptions{MaxBatch: 1}
				n := new(listen.Notifier)
				var failed []string
				if onError {
					o.OnError = func(messages []listen.Message, err error) {
						failed = append(failed, messages[0].Payload)
						if again := n.Notify(t.Context(), "a", messages[0].Payload); !late(err) || !errors.Is(again, listen.ErrStopped) {
							t.Errorf("OnError is told %v; to notify again is %v", err, again)
						}
					}
				}
				n = listen.NewNotifier(db, o)
				n.Notify(t.Context(), "a", "1")
				n.Notify(t.Context(), "a", "2")
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				begin := time.Now()
				if err := n.Run(ctx); (err == nil) != onError || err != nil && !late(err) {
					t.Errorf("Run = %v", err)
				}
				if took := time.Since(begin); took != 6*time.Second {
					t.Errorf("Run took %v, and was told to end after 1s", took)
				}
				if s := n.Stats(); onError && (!slices.Equal(failed, []string{"1", "2"}) || s.Failed != 2) || !onError && s.Failed != 1 {
					t.Errorf("stats = %+v, OnError was told of %q", s, failed)
				}
			})
		})
	}
}

// late reports whether err says that the time for the clean-up is over, and nothing that would pass for an orderly end.
func late(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}

func TestWhatTheNotifierTakesIsSent(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	for range 200 {
		n := listen.NewNotifier(db, listen.NotifierOptions{Delay: -1, MaxPending: 10})
		ctx, cancel := context.WithCancel(t.Context())
		var taken int64
		var wg sync.WaitGroup
		wg.Go(func() {
			for n.Notify(t.Context(), "a", fmt.Sprint(taken)) == nil {
				if taken++; taken == 5 {
					cancel()
				}
			}
		})
		if err := n.Run(ctx); err != nil {
			t.Fatalf("Run = %v", err)
		}
		if err := n.Flush(testContext(t)); err != nil {
			t.Fatalf("Flush = %v", err)
		}
		wg.Wait()
		if s := n.Stats(); s.Sent != taken {
			t.Fatalf("%d taken, stats = %+v", taken, s)
		}
	}
}
