package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest/mock"
)

// booking expects one run of an order's transaction.
func booking(m *mock.Mock, stock, left int) {
	m.ExpectBegin()
	m.ExpectQuery("select amount from stock").WithArgs("tea").WillReturnRows(m.Columns(mock.Col("amount", "int4")).AddRow(stock))
	m.ExpectExec("update stock").WithArgs(left, "tea").WillAffect(1)
}

func TestOrderIsTriedAgain(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	booking(m, 10, 7)
	m.ExpectCommit().WillReturnError(mock.PgError("40001", mock.Fields{})) // others were quicker
	booking(m, 8, 5)
	m.ExpectCommit()
	if left, err := order(t.Context(), db, "tea", 3); left != 5 || err != nil {
		t.Errorf("%d left, %v, want 5", left, err)
	}
}

func TestOrderGivesUp(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	for range 6 { // once, and five times more
		m.ExpectBegin()
		m.ExpectQuery("select amount").WillReturnError(mock.PgError("40001", mock.Fields{}))
		m.ExpectRollback()
	}
	var refused interface{ SQLState() string }
	if _, err := order(t.Context(), db, "tea", 3); !errors.As(err, &refused) || refused.SQLState() != "40001" {
		t.Errorf("error = %v", err)
	}
}

func TestOrderOfTooMuchChangesNothing(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectBegin()
	m.ExpectQuery("select amount").WillReturnRows(m.Columns(mock.Col("amount", "int4")).AddRow(2))
	m.ExpectRollback()
	if _, err := order(t.Context(), db, "tea", 3); !errors.Is(err, errSoldOut) {
		t.Errorf("error = %v", err)
	}
}

// An order whose COMMIT may have worked must not be booked again.
func TestOrderWithAnUnknownOutcomeIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	booking(m, 10, 7)
	m.ExpectCommit().WillLose(mock.AfterWrite)
	if _, err := order(t.Context(), db, "tea", 3); !errors.Is(err, driver.ErrCommitUnknown) {
		t.Errorf("error = %v", err)
	}
}

const csvFile = "sku,amount\ntea,3\ncoffee,5\n"

func TestDeliveryIsCopied(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectBegin()
	m.ExpectCopyIn("delivery", "sku", "amount").WithTypes("text", "int4").WithRows([]any{"tea", 3}, []any{"coffee", 5})
	m.ExpectExec("pg_notify").WithArgs(channel, "2")
	m.ExpectCommit()
	if n, err := deliver(t.Context(), db, strings.NewReader(csvFile)); n != 2 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
}

func TestDeliveryIsAllOrNothing(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectBegin()
	m.ExpectCopyIn("delivery", "sku", "amount").WithTypes("text", "int4").
		FailAtRow(2, mock.PgError("23514", mock.Fields{Constraint: "delivery_amount_check"}))
	m.ExpectRollback()
	if _, err := deliver(t.Context(), db, strings.NewReader(csvFile)); err == nil || !strings.Contains(err.Error(), "row 2") {
		t.Errorf("error = %v, want one that names the row", err)
	}
}

// The server goes away while the worker listens. It connects again, and takes what it was not told of.
func TestServeListensThroughALoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, m := mock.New(t)
		m.ExpectListen(channel)
		m.ExpectExec("with taken").WillAffect(1) // what was there
		m.ExpectExec("with taken").WillAffect(2) // what it is told of
		m.ExpectListen(channel)
		m.ExpectExec("with taken").WillAffect(3) // what came meanwhile

		ctx, stop := context.WithCancel(t.Context())
		moves := make(chan int64, 3)
		ended := make(chan error)
		go func() { ended <- serve(ctx, db, func(n int64) { moves <- n }) }()
		var got []int64
		got = append(got, <-moves)
		synctest.Wait()
		m.Notify(channel, "1")
		got = append(got, <-moves)
		m.DropConnections()
		got = append(got, <-moves)
		if want := []int64{1, 2, 3}; !slices.Equal(got, want) {
			t.Errorf("moved %v, want %v", got, want)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		db.Close()
	})
}

func TestServeEndsWithAnErrorOfItsWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, m := mock.New(t)
		m.ExpectListen(channel)
		m.ExpectExec("with taken")
		m.ExpectExec("with taken").WillReturnError(mock.PgError("42501", mock.Fields{}))
		ended := make(chan error)
		ready := make(chan bool)
		go func() { ended <- serve(t.Context(), db, func(int64) { close(ready) }) }()
		<-ready
		synctest.Wait()
		m.Notify(channel, "1")
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("error = %v", err)
		}
		db.Close()
	})
}
