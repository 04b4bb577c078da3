package timescale_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/admin/timescale"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

const dailyQuery = `select time_bucket('1 day', ts) as day, "Device", avg(temperature) as temperature
	from app."odd metrics" group by 1, 2 -- by day;`

func TestContinuousAggregate(t *testing.T) {
	t.Parallel()
	db := openFull(t)
	metrics(t, db, 3)
	ctx := t.Context()
	const view = `app."Daily"`
	realTime := false

	err := ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
		_, err := timescale.CreateContinuousAggregate(ctx, tx, view, dailyQuery, timescale.AggregateOptions{WithData: true})
		return err
	})
	if !errors.Is(err, driver.ErrInTransaction) {
		t.Errorf("with data inside a transaction: %v", err)
	}
	o := timescale.AggregateOptions{RealTime: &realTime, NoGroupIndexes: true}
	if created, err := timescale.CreateContinuousAggregate(ctx, db, view, dailyQuery, o); err != nil || !created {
		t.Fatal(created, err)
	}
	o.IfNotExists = true
	if created, err := timescale.CreateContinuousAggregate(ctx, db, view, dailyQuery, o); err != nil || created {
		t.Error("again:", created, err)
	}
	rows := func() int { return value[int](t, db, `select count(*) from app."Daily"`) }
	if n := rows(); n != 0 {
		t.Errorf("%d rows before a refresh", n)
	}
	day := func(n int) timescale.Bound { return timescale.At(time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)) }
	if err := timescale.RefreshContinuousAggregate(ctx, db, view, day(9), day(10)); err != nil {
		t.Fatal(err)
	}
	if n := rows(); n != 2 {
		t.Errorf("%d rows of one day, want 2", n)
	}
	if err := timescale.RefreshContinuousAggregate(ctx, db, view, timescale.Bound{}, timescale.Ago(timescale.Interval("1 hour"))); err != nil {
		t.Fatal(err)
	}
	if n := rows(); n != 6 {
		t.Errorf("%d rows of all days, want 6", n)
	}
	all, err := timescale.ContinuousAggregates(ctx, db)
	if err != nil || len(all) != 1 || all[0].Schema != "app" || all[0].Name != "Daily" || all[0].Source != `app."odd metrics"` || all[0].RealTime || all[0].Definition == "" {
		t.Errorf("aggregates = %+v, %v", all, err)
	}
	chunks, err := timescale.Chunks(ctx, db, view, timescale.ChunkRange{})
	if err != nil || len(chunks) == 0 {
		t.Errorf("chunks = %+v, %v", chunks, err)
	}

	id, err := timescale.AddRefreshPolicy(ctx, db, view, timescale.Interval("1 month"), timescale.Every(time.Hour), timescale.PolicyOptions{Schedule: timescale.Every(time.Hour)})
	if err != nil || id <= 0 {
		t.Error(id, err)
	}
	if removed, err := timescale.RemoveRefreshPolicy(ctx, db, view); err != nil || !removed {
		t.Error(removed, err)
	}
	if removed, err := timescale.RemoveRefreshPolicy(ctx, db, view); err != nil || removed {
		t.Error("again:", removed, err)
	}
	if dropped, err := timescale.DropContinuousAggregate(ctx, db, view, admin.DropOptions{}); err != nil || !dropped {
		t.Error(dropped, err)
	}
	if dropped, err := timescale.DropContinuousAggregate(ctx, db, view, admin.DropOptions{Cascade: true}); err != nil || dropped {
		t.Error("again:", dropped, err)
	}
	if created, err := timescale.CreateContinuousAggregate(ctx, db, view, dailyQuery, timescale.AggregateOptions{WithData: true}); err != nil || !created || rows() != 6 {
		t.Error("with data:", created, err)
	}
}

func TestAnOrdinaryMaterializedViewIsNotDropped(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	mustExec(t, db, "create materialized view plain as select 1 as a", "create table t (a int)")
	for _, name := range []string{"plain", "t"} {
		if dropped, err := timescale.DropContinuousAggregate(t.Context(), db, name, admin.DropOptions{Cascade: true}); dropped || !errors.Is(err, timescale.ErrNotHypertable) {
			t.Errorf("%s: %t, %v, want ErrNotHypertable", name, dropped, err)
		}
	}
	if n := value[int](t, db, "select count(*) from plain"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestRefreshOfAnAxisWithoutTimeZone(t *testing.T) {
	t.Parallel()
	db := openFull(t)
	ctx := t.Context()
	mustExec(t, db, "create table m (ts timestamp not null, v int)")
	if _, err := timescale.CreateHypertable(ctx, db, "m", timescale.ByRange("ts", timescale.Interval("1 day")), timescale.HypertableOptions{}); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "insert into m values ('2026-01-01 10:00', 1), ('2026-01-02 10:00', 2)")
	if _, err := timescale.CreateContinuousAggregate(ctx, db, "c", "select time_bucket('1 day', ts) as day, sum(v) from m group by 1", timescale.AggregateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]timescale.Bound{
		{timescale.At(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)), timescale.At(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))},
		{timescale.Ago(timescale.Interval("10 years")), timescale.Ago(timescale.Interval("1 day"))},
	} {
		if err := timescale.RefreshContinuousAggregate(ctx, db, "c", r[0], r[1]); err != nil {
			t.Error(err)
		}
	}
	if n := value[int](t, db, "select count(*) from c"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}
