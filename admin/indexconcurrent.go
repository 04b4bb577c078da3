package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// dropTime bounds the removal of an index whose build has failed, also when the context has ended.
const dropTime = 30 * time.Second

// CreateIndexConcurrently is [CreateIndex] without holding up writes to the table: it waits for the transactions that are open
// instead, and reads the table twice. No transaction may hold it.
//
// When the build fails, or is cancelled, PostgreSQL leaves an index behind that is not valid; it is dropped here, and the error says
// so where that fails too. With IfNotExists an index that is not valid is [ErrInvalidIndex].
func CreateIndexConcurrently(ctx context.Context, q ext.OutsideTx, table string, keys []IndexKey, o IndexOptions) (name string, created bool, err error) {
	name, ch, err := createIndexConcurrently(table, keys, o)
	if err == nil {
		created, err = ch.run(ctx, q)
	}
	switch {
	case err != nil && ch.strict != "" && !errors.Is(err, ext.ErrInTransaction) && driver.SQLState(err) != duplicateTable:
		err = errors.Join(explain(ctx, q, table, err), removeInvalid(ctx, q, table, name))
	case err == nil && !created:
		err = checkValid(ctx, q, table, name)
	}
	if err != nil {
		return "", false, refused("create index concurrently on", table, err)
	}
	return name, created, nil
}

const duplicateTable = "42P07"

func createIndexConcurrently(table string, keys []IndexKey, o IndexOptions) (string, change, error) {
	if o.Only {
		return "", change{}, errors.New("option Only is for partitioned tables, whose indexes cannot be built concurrently")
	}
	name, ch, err := createIndex(table, keys, o)
	ch.text = strings.Replace(ch.text, " index ", " index concurrently ", 1)
	ch.strict = strings.Replace(ch.strict, " index ", " index concurrently ", 1)
	ch.outside = true
	return name, ch, err
}

// invalidIndexQuery asks whether the table $1.$2 has an index $3 that is not valid, and for its name with the schema.
var invalidIndexQuery = qualified(withTarget + `
select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
from target
join pg_catalog.pg_index i on i.indrelid = target.oid and not i.indisvalid
join pg_catalog.pg_class c on c.oid = i.indexrelid and c.relname = $3::pg_catalog.name
join pg_catalog.pg_namespace n on n.oid = c.relnamespace`)

func invalidIndex(ctx context.Context, q ext.Querier, table, index string) (string, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return "", err
	}
	return value[string](ctx, q, invalidIndexQuery, n.Schema, n.Name, index)
}

// removeInvalid drops what a failed build has left behind. No other session can be building it: ours would have failed because
// the name is taken.
func removeInvalid(ctx context.Context, q ext.OutsideTx, table, index string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTime)
	defer cancel()
	left, err := invalidIndex(ctx, q, table, index)
	if err == nil && left != "" {
		_, err = DropIndexConcurrently(ctx, q, left)
	}
	if err != nil {
		return fmt.Errorf("the index %q may be left behind, not valid: %w", index, err)
	}
	return nil
}

func checkValid(ctx context.Context, q ext.Querier, table, index string) error {
	left, err := invalidIndex(ctx, q, table, index)
	if err == nil && left != "" {
		err = fmt.Errorf("%w: %s: another session is building it, or a build has failed: DropIndexConcurrently removes it", ErrInvalidIndex, left)
	}
	return err
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
