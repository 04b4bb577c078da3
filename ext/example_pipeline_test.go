package ext_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

func ExamplePipeline() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	var inserted *ext.Pending[ext.Result]
	var names *ext.Pending[[]string]
	err := ext.Pipeline(ctx, tx, func(p *ext.Pipe) error {
		p.Exec("create temp table city (name text)")
		inserted = p.Exec("insert into city values ($1), ($2)", "Rome", "Bern")
		names = ext.QueueQuery[string](p, "select name from city order by name")
		_, err := names.Get()
		fmt.Println(errors.Is(err, ext.ErrNotSynced))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	result, _ := inserted.Get()
	all, _ := names.Get()
	fmt.Println(result.Tag, all)
	// Output:
	// true
	// INSERT 0 2 [Bern Rome]
}

func ExamplePipeline_failure() {
	ctx, db := context.Background(), examplePool()
	defer db.Close()
	var first, bad, last *ext.Pending[ext.Result]
	err := ext.Pipeline(ctx, db, func(p *ext.Pipe) error {
		first, bad, last = p.Exec("select 1"), p.Exec("select 1 / $1::int", 0), p.Exec("select 2")
		return nil
	})
	var failed *ext.PipelineError
	fmt.Println(errors.As(err, &failed), failed.Index, failed.SQL)
	for _, p := range []*ext.Pending[ext.Result]{first, bad, last} {
		_, err := p.Get()
		fmt.Println(errors.Is(err, ext.ErrPipelineUndone), errors.Is(err, ext.ErrPipelineAborted), sqlState(err))
	}
	// Output:
	// true 1 select 1 / $1::int
	// true false 22012
	// false false 22012
	// false true 22012
}

func ExampleDeclareCursor() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	scroll := true
	cur, err := ext.DeclareCursor(ctx, tx, "numbers", ext.CursorOptions{Scroll: &scroll}, "select generate_series(1, $1::int)", 9)
	if err != nil {
		log.Fatal(err)
	}
	defer cur.Close(ctx)
	page, err := ext.FetchMany[int](ctx, cur, 3)
	fmt.Println(page, cur.Position(), err)
	found, err := cur.MoveTo(ctx, -2)
	fmt.Println(found, cur.Position(), err)
	last, err := ext.FetchOne[int](ctx, cur)
	fmt.Println(last, err)
	back, err := ext.FetchMany[int](ctx, cur, -2)
	fmt.Println(back, err)
	// Output:
	// [1 2 3] 3 <nil>
	// true 8 <nil>
	// 9 <nil>
	// [8 7] <nil>
}

func ExampleOpenLargeObject() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	oid, _, err := ext.ImportLargeObject(ctx, tx, strings.NewReader("hello, large object"))
	if err != nil {
		log.Fatal(err)
	}
	o, err := ext.OpenLargeObject(ctx, tx, oid, ext.LargeObjectReadWrite)
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	o.Seek(7, io.SeekStart)
	o.Write([]byte("LARGE"))
	o.Truncate(12)
	var out strings.Builder
	size, err := ext.ExportLargeObject(ctx, tx, oid, &out)
	fmt.Println(out.String(), size, err)
	// Output: hello, LARGE 12 <nil>
}

func ExampleCallProc() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	_, err := tx.ExecContext(ctx, `create procedure pg_temp.double(inout n int, out text text) language plpgsql as
		$$ begin n := 2 * n; text := 'now ' || n; end $$`)
	if err != nil {
		log.Fatal(err)
	}
	n, text := 21, ""
	err = ext.CallProc(ctx, tx, "pg_temp.double", sql.Out{Dest: &n, In: true}, sql.Out{Dest: &text})
	fmt.Println(n, text, err)
	// Output: 42 now 42 <nil>
}

func ExampleCallFunc() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	dates, err := ext.CallFunc[string](ctx, tx, "make_interval", sql.Named("days", 10), sql.Named("hours", 2))
	fmt.Println(dates, err)
	// Output: [10 days 02:00:00] <nil>
}

func ExampleSQL() {
	where := ext.SQL("{:i} = {}", "id", 7)
	statement := ext.SQL("select {} from {} where {}", ext.Join(", ", ext.Ident("name"), ext.Ident("odd col")), ext.Ident("app", "users"), where)
	text, args, err := statement.Build()
	fmt.Println(text, args, err)
	fmt.Println(ext.SQL("comment on table {:i} is {:l}", "users", "it's"))
	// Output:
	// select "name", "odd col" from "app"."users" where "id" = $1 [7] <nil>
	// comment on table "users" is 'it''s'
}

func ExampleMogrify() {
	text, err := ext.Mogrify("INSERT INTO mytable VALUES ($1, $2, $3)", 10, "it's", nil)
	fmt.Println(text, err)
	text, err = ext.MogrifyFormat("SELECT %s %% %s", 10, -3)
	fmt.Println(text, err)
	// Output:
	// INSERT INTO mytable VALUES (10, 'it''s', NULL) <nil>
	// SELECT 10 % (-3) <nil>
}

func ExampleInfo() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	info, err := ext.Info(ctx, tx)
	fmt.Println(info.Vendor, info.TxStatus, info.Parameters["server_encoding"], info.TLS, err)
	// Output: PostgreSQL INTRANS UTF8 false <nil>
}

func ExampleNewCanceler() {
	ctx, db := context.Background(), examplePool()
	defer db.Close()
	db.SetMaxOpenConns(2)
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	canceler, err := ext.NewCanceler(ctx, conn)
	if err != nil {
		log.Fatal(err)
	}
	pid, err := ext.QueryVal[int](ctx, conn, "select pg_backend_pid()")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("nothing runs:", canceler.Cancel(ctx))
	result := make(chan error)
	go func() {
		_, err := conn.ExecContext(ctx, "select pg_sleep(60)")
		result <- err
	}()
	for sleeping := false; !sleeping; {
		sleeping, err = ext.QueryVal[bool](ctx, db, "select wait_event is not distinct from 'PgSleep' from pg_stat_activity where pid = $1", pid)
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("cancelled:", canceler.Cancel(ctx))
	fmt.Println(sqlState(<-result))
	// Output:
	// nothing runs: <nil>
	// cancelled: <nil>
	// 57014
}
