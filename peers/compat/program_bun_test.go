package compat

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/pycopg/pycopg/sqltest"
)

type book struct {
	bun.BaseModel `bun:"table:books"`

	ID      int64          `bun:",pk,autoincrement"`
	Title   string         `bun:",unique,notnull"`
	Tags    []string       `bun:",array"`
	Scores  []int64        `bun:",array"`
	Extra   map[string]any `bun:"type:jsonb"`
	Printed time.Time      `bun:",nullzero"`
	Data    []byte
}

func TestBunProgram(t *testing.T) {
	t.Parallel()
	pool := open(t, ours, dsnOf(t, sqltest.Options{}))
	db := bun.NewDB(pool, pgdialect.New())
	if _, err := db.NewCreateTable().Model((*book)(nil)).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	printed := time.Date(1999, 12, 31, 23, 59, 59, 123456000, time.UTC)
	books := []book{
		{Title: `It's "here" \ $1`, Tags: []string{"a", `b"c`}, Scores: []int64{1, 2}, Extra: map[string]any{"n": 1.5}, Printed: printed, Data: []byte{0, 255}},
		{Title: "Other"},
	}
	if _, err := db.NewInsert().Model(&books).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("no")
	if err := db.RunInTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable}, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model(&book{Title: "lost"}).Column("title").Where("id = ?", books[0].ID).Exec(ctx); err != nil {
			t.Error(err)
		}
		if calls := doThrough(t, tx); calls != 1 {
			t.Errorf("driver.Do in the transaction ran %d times", calls)
		}
		return failed
	}); !errors.Is(err, failed) {
		t.Errorf("transaction: %v", err)
	}
	var got []book
	if err := db.NewSelect().Model(&got).Where("id IN ?", bun.Tuple([]int64{books[0].ID, books[1].ID})).Order("id").Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Title != books[0].Title || len(got[0].Tags) != 2 || got[0].Tags[1] != `b"c` || got[0].Scores[1] != 2 ||
		got[0].Extra["n"] != 1.5 || !got[0].Printed.Equal(printed) || string(got[0].Data) != "\x00\xff" || got[1].Tags != nil || !got[1].Printed.IsZero() {
		t.Errorf("books %+v", got)
	}
	if exists, err := db.NewSelect().Model((*book)(nil)).Where("title = ?", "Other").Exists(t.Context()); !exists || err != nil {
		t.Errorf("exists = %t, %v", exists, err)
	}
	if res, err := db.NewDelete().Model((*book)(nil)).Where("title = ?", "Other").Exec(t.Context()); err != nil {
		t.Error(err)
	} else if n, err := res.RowsAffected(); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	if calls := doThrough(t, db); calls != 1 {
		t.Errorf("driver.Do ran %d times", calls)
	}
}
