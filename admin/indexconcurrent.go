package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// dropTime bounds the removal of an index whose build has failed, also when the context has ended.
const dropTime = 30 * time.Second

// CreateIndexConcurrently is [CreateIndex] without holding up writes to the table: it waits for the transactions that are open
// instead, and reads the table twice. No transaction may hold it.
//
// When the build fails, or is cancelled, PostgreSQL leaves an index behind that is not valid; it is dropped here, and the error says
// so where that fails too. What is never dropped is an index of that name that existed before, and one that a session is building:
// another session while ours waited for the table, or ours, which the server goes on with when the connection is lost. The error
// names the process then.
//
// With IfNotExists an index that is not valid is [ErrInvalidIndex].
func CreateIndexConcurrently(ctx context.Context, q ext.OutsideTx, table string, keys []IndexKey, o IndexOptions) (name string, created bool, err error) {
	b, err := createIndexConcurrently(table, keys, o)
	if err == nil {
		created, err = b.run(ctx, q, table)
	}
	if err != nil {
		return "", false, refused("create index concurrently on", table, err)
	}
	return b.index, created, nil
}

// build is the concurrent build of an index.
type build struct {
	change
	table  ext.Name
	index  string
	before string // OID of what had the index's name before, "" for nothing
	failed bool   // the statement was sent and may have left an index
}

func createIndexConcurrently(table string, keys []IndexKey, o IndexOptions) (*build, error) {
	if o.Only {
		return nil, errors.New("option Only is for partitioned tables, whose indexes cannot be built concurrently")
	}
	name, ch, err := createIndex(table, keys, o)
	if err != nil {
		return nil, err
	}
	ch.text = strings.Replace(ch.text, " index ", " index concurrently ", 1)
	ch.strict = strings.Replace(ch.strict, " index ", " index concurrently ", 1)
	n, err := ext.ParseName(table)
	return &build{change: ch, table: n, index: name}, err
}

// ifNotExists reports whether an index that exists is left as it is.
func (b *build) ifNotExists() bool { return b.text != b.strict }

func (b *build) run(ctx context.Context, q ext.Querier, table string) (created bool, err error) {
	n, err := do(ctx, q, b.text, b.do)
	if err == nil {
		return n > 0 || !b.ifNotExists(), nil
	}
	err = explain(ctx, q, table, err)
	if b.failed {
		err = errors.Join(err, b.clean(ctx, q))
	}
	return false, err
}

func (b *build) do(ctx context.Context, c *driver.Conn) (n int64, err error) {
	if b.before, err = b.named(ctx, c); err != nil {
		return 0, err
	}
	if b.before != "" && b.ifNotExists() {
		return 0, b.checkValid(ctx, c)
	}
	_, err = c.ExecOutsideTx(ctx, b.strict)
	b.failed = err != nil && !nameTaken(err)
	if err == nil {
		return 1, nil
	}
	if b.ifNotExists() && !b.failed {
		if now, again := b.named(ctx, c); again == nil && now != "" {
			return 0, b.checkValid(ctx, c)
		}
	}
	return 0, err
}

// nameTaken reports whether the server says that a relation of that name exists, or has come to exist while it created one.
func nameTaken(err error) bool {
	const duplicateTable, uniqueViolation = "42P07", "23505"
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code == duplicateTable || server.Code == uniqueViolation && server.SchemaName == "pg_catalog")
}

// namedQuery asks for the OID of the relation $3 in the schema of the table $1.$2.
var namedQuery = qualified(withTarget + `
select i.oid::pg_catalog.text
from target
join pg_catalog.pg_class c on c.oid = target.oid
join pg_catalog.pg_class i on i.relnamespace = c.relnamespace and i.relname = $3::pg_catalog.name`)

func (b *build) named(ctx context.Context, c *driver.Conn) (oid string, err error) {
	rows, err := b.ask(ctx, c, namedQuery)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0][0].(string), nil
}

// invalidQuery asks for the index $3 of the table $1.$2 if it is not valid: its OID, its name with the schema, and the process that
// builds it, "" for none. Users may not see which index the session of somebody else builds, but that it builds one, and its lock
// on the table. Without track_activities they do not see that either: then each session with such a lock counts.
var invalidQuery = qualified(withTarget + `
select i.indexrelid::pg_catalog.text, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), coalesce((
  select pg_catalog.min(l.pid)::pg_catalog.text
  from pg_catalog.pg_locks l
  left join pg_catalog.pg_stat_progress_create_index p on p.pid = l.pid
  where l.relation = i.indrelid and l.granted and l.mode = 'ShareUpdateExclusiveLock'
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
    and case when p.pid is null then pg_catalog.current_setting('track_activities') = 'off'
             else coalesce(p.index_relid, i.indexrelid) = i.indexrelid end), '')
from target
join pg_catalog.pg_index i on i.indrelid = target.oid and not i.indisvalid
join pg_catalog.pg_class c on c.oid = i.indexrelid and c.relkind = 'i' and c.relname = $3::pg_catalog.name
join pg_catalog.pg_namespace n on n.oid = c.relnamespace`)

// invalidIndex is an index that is not valid. The zero value is none.
type invalidIndex struct{ oid, name, builder string }

// invalid asks for the index until an answer stands: who builds it is looked up behind whether it is valid, and a session that is
// done in between leaves an index that seems to be neither valid nor built by anybody.
func (b *build) invalid(ctx context.Context, c *driver.Conn) (invalidIndex, error) {
	var last invalidIndex
	for {
		rows, err := b.ask(ctx, c, invalidQuery)
		if err != nil || len(rows) == 0 {
			return invalidIndex{}, err
		}
		row := rows[0]
		now := invalidIndex{row[0].(string), row[1].(string), row[2].(string)}
		if now.builder != "" || now == last {
			return now, nil
		}
		last = now
	}
}

// ask runs a query about the index. The transaction that a session in manual commit begins for it ends with it.
func (b *build) ask(ctx context.Context, c *driver.Conn, query string) ([][]any, error) {
	if c.TxStatus() != 'I' {
		return nil, fmt.Errorf("%w: cannot run: %s", ext.ErrInTransaction, b.strict)
	}
	rows, err := ext.Catalog(ctx, c, query, b.table.Schema, b.table.Name, b.index)
	return rows, errors.Join(err, c.Rollback(ctx))
}

func (b *build) checkValid(ctx context.Context, c *driver.Conn) error {
	found, err := b.invalid(ctx, c)
	switch {
	case err != nil || found == invalidIndex{}:
		return err
	case found.builder != "":
		return fmt.Errorf("%w: %s: process %s is building it", ErrInvalidIndex, found.name, found.builder)
	}
	return fmt.Errorf("%w: %s: a build has failed: DropIndexConcurrently removes it", ErrInvalidIndex, found.name)
}

// clean drops what the failed build has left behind, also when the context has ended.
func (b *build) clean(ctx context.Context, q ext.Querier) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTime)
	defer cancel()
	ch, err := dropIndexConcurrently(ext.QuoteName(b.index))
	if err == nil {
		_, err = do(ctx, q, ch.text, b.drop)
	}
	if err != nil {
		return fmt.Errorf("the index %q may be left behind, not valid: %w", b.index, err)
	}
	return nil
}

// drop drops the index that is not valid, that nobody builds and that did not exist before. It goes by the name: in the moment
// behind the answer somebody else would have to drop the index and begin another one to be hurt.
func (b *build) drop(ctx context.Context, c *driver.Conn) (int64, error) {
	left, err := b.invalid(ctx, c)
	switch {
	case err != nil || left.oid == "" || left.oid == b.before:
		return 0, err
	case left.builder != "":
		return 0, fmt.Errorf("process %s is building it", left.builder)
	}
	ch, err := dropIndexConcurrently(left.name)
	if err != nil {
		return 0, err
	}
	return ch.do(ctx, c)
}

// DropIndexConcurrently drops an index where it exists, without holding up statements on its table, and returns whether it did. No
// transaction may hold it.
func DropIndexConcurrently(ctx context.Context, q ext.OutsideTx, index string) (dropped bool, err error) {
	ch, err := dropIndexConcurrently(index)
	return ch.decide(ctx, q, err, "drop index concurrently", index)
}

func dropIndexConcurrently(index string) (change, error) {
	ch, err := dropRelation("index concurrently", index, DropOptions{})
	ch.outside = true
	return ch, err
}
