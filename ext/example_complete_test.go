package ext_test

import (
	"context"
	"fmt"
	"log"

	"github.com/pycopg/pycopg/ext"
)

// A table is made, filled, asked, and read in pages.
func Example() {
	ctx := context.Background()
	db := examplePool() // sql.Open("pycopg", "") takes everything from the environment
	defer db.Close()
	_, err := db.ExecContext(ctx, `
		create temp table if not exists events ( -- temp, for the example: the pool has one connection
			id serial primary key,
			type text not null,
			data jsonb,
			created_at timestamptz default now()
		)`)
	if err != nil {
		log.Fatal(err)
	}

	inserted, err := ext.InsertMany(ctx, db, "events", []map[string]any{
		{"type": "user.created", "data": map[string]any{"name": "Alice"}},
		{"type": "user.updated", "data": map[string]any{"name": "Alice B."}},
	}, ext.InsertOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(inserted.Inserted, "inserted")

	recent, err := ext.Query[map[string]any](ctx, db, `
		select * from events
		where created_at > now() - interval '1 hour'
		order by created_at desc, id
		limit 10`)
	if err != nil {
		log.Fatal(err)
	}
	for _, event := range recent {
		fmt.Printf("%s: %v\n", event["type"], event["data"])
	}

	type Event struct {
		ID   int
		Type string
		Data struct{ Name string }
	}
	err = ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
		for e, err := range ext.StreamPages[Event](ctx, tx, 100, "select id, type, data from events order by id") {
			if err != nil {
				return err
			}
			fmt.Println(e.ID, e.Type, e.Data.Name)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// 2 inserted
	// user.created: map[name:Alice]
	// user.updated: map[name:Alice B.]
	// 1 user.created Alice
	// 2 user.updated Alice B.
}
