package timescale_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin/timescale"
	"github.com/pycopg/pycopg/ext"
)

func names(chunks []timescale.Chunk) (all []string) {
	for _, chunk := range chunks {
		all = append(all, chunk.Name)
	}
	return all
}

func TestChunksAreThoseThatDropChunksDrops(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	for _, axis := range []string{"timestamptz", "timestamp", "date"} {
		t.Run(axis, func(t *testing.T) {
			t.Parallel()
			db := openAny(t)
			mustExec(t, db, "create table m (ts "+axis+" not null, v int)")
			if _, err := timescale.CreateHypertable(t.Context(), db, "m", timescale.ByRange("ts", timescale.Interval("1 day")), timescale.HypertableOptions{}); err != nil {
				t.Fatal(err)
			}
			mustExec(t, db, `set timezone to 'UTC'; insert into m select g, 1 from generate_series(timestamptz '2026-01-01 UTC', '2026-01-10 UTC', interval '1 day') g`)
			all, err := timescale.Chunks(t.Context(), db, "m", timescale.ChunkRange{})
			if err != nil || len(all) != 10 || all[0].Start == nil || !all[0].Start.Equal(day(1)) || !all[0].End.Equal(day(2)) || all[0].Compressed {
				t.Fatalf("chunks = %+v, %v", all, err)
			}
			for _, r := range []timescale.ChunkRange{
				{OlderThan: timescale.At(day(3).Add(time.Hour))},                             // 1 and 2
				{NewerThan: timescale.At(day(9))},                                            // 9 and 10
				{OlderThan: timescale.At(day(5)), NewerThan: timescale.At(day(4))},           // 4
				{OlderThan: timescale.Ago(timescale.Interval("1 hour"))},                     // the others
				{OlderThan: timescale.Ago(timescale.Every(time.Hour))},                       // none is left
				{NewerThan: timescale.At(day(1)), OlderThan: timescale.At(day(1).Add(1e15))}, // likewise
			} {
				before, err := timescale.Chunks(t.Context(), db, "m", r)
				if err != nil {
					t.Fatal(err)
				}
				dropped, err := timescale.DropChunks(t.Context(), db, "m", r)
				if err != nil {
					t.Fatal(err)
				}
				shown := names(before)
				slices.Sort(shown)
				slices.Sort(dropped)
				if !slices.Equal(shown, dropped) {
					t.Errorf("%+v: shown %q, dropped %q", r, shown, dropped)
				}
				t.Logf("%+v: %d", r, len(dropped))
			}
			if all, err := timescale.Chunks(t.Context(), db, "m", timescale.ChunkRange{}); err != nil || len(all) != 0 {
				t.Errorf("left: %q, %v", names(all), err)
			}
		})
	}
}

func TestChunksOfIntegers(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	mustExec(t, db, "create table m (n bigint not null)")
	if _, err := timescale.CreateHypertable(t.Context(), db, "m", timescale.ByRange("n", timescale.Integer(10)), timescale.HypertableOptions{}); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "insert into m select generate_series(0, 49)")
	got, err := timescale.Chunks(t.Context(), db, "m", timescale.ChunkRange{OlderThan: timescale.AtInteger(20)})
	if err != nil || len(got) != 2 || *got[1].StartInteger != 10 || *got[1].EndInteger != 20 || got[0].Start != nil {
		t.Fatalf("chunks = %+v, %v", got, err)
	}
	dropped, err := timescale.DropChunks(t.Context(), db, "m", timescale.ChunkRange{OlderThan: timescale.AtInteger(20)})
	if err != nil || len(dropped) != 2 || value[int](t, db, "select min(n) from m") != 20 {
		t.Errorf("dropped %q, %v", dropped, err)
	}
}

func TestDropChunksBelongsToTheTransaction(t *testing.T) {
	t.Parallel()
	db := openAny(t)
	table := metrics(t, db, 2)
	err := ext.InTx(t.Context(), db, ext.TxOptions{ForceRollback: true}, func(tx *ext.Tx) error {
		dropped, err := timescale.DropChunks(t.Context(), tx, table, timescale.ChunkRange{OlderThan: timescale.At(time.Now())})
		if len(dropped) != 2 {
			t.Errorf("dropped %q", dropped)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := value[int](t, db, `select count(*) from app."odd metrics"`); n != 48 {
		t.Errorf("%d rows after the rollback, want 48", n)
	}
}
