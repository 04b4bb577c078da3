package admin

import (
	"context"
	"errors"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// ReindexOptions are the options of the Reindex functions.
type ReindexOptions struct {
	Concurrently bool   // without keeping writers out; a failure leaves an index that is not valid, whose name ends in _ccnew
	Tablespace   string // for the new indexes

	// Verbose gets a line for each index, under the rules of ext.WithNotices.
	Verbose func(driver.Notice)
}

// ReindexIndex builds an index anew.
func ReindexIndex(ctx context.Context, q ext.OutsideTx, index string, o ReindexOptions) error {
	name, err := relation(index)
	return reindex(ctx, q, "index", name, err, o)
}

// ReindexTable builds all indexes of a table anew, those of its TOAST table too.
func ReindexTable(ctx context.Context, q ext.OutsideTx, table string, o ReindexOptions) error {
	name, err := relation(table)
	return reindex(ctx, q, "table", name, err, o, table)
}

// ReindexSchema builds all indexes of a schema anew, each table in a transaction of its own.
func ReindexSchema(ctx context.Context, q ext.OutsideTx, schema string, o ReindexOptions) error {
	quoted, err := name("schema", schema)
	return reindex(ctx, q, "schema", quoted, err, o)
}

// ReindexDatabase builds all indexes of the database anew, each table in a transaction of its own: those of the system catalogs
// before PostgreSQL 16 and without Concurrently too.
func ReindexDatabase(ctx context.Context, q ext.OutsideTx, o ReindexOptions) error {
	database, err := value[string](ctx, q, "select pg_catalog.current_database()::pg_catalog.text")
	if err == nil {
		database, err = name("database", database)
	}
	return reindex(ctx, q, "database", database, err, o)
}

func reindex(ctx context.Context, q ext.OutsideTx, kind, object string, err error, o ReindexOptions, tables ...string) error {
	if err == nil {
		var text string
		if text, err = reindexText(kind, object, o); err == nil {
			err = maintain(ctx, q, text, nil, o.Verbose)
		}
	}
	return maintenanceError("reindex "+kind+" "+object, missingOf(ctx, q, tables, err))
}

func reindexText(kind, object string, o ReindexOptions) (string, error) {
	var w optionList
	w.flag(o.Verbose != nil, "verbose")
	w.flag(o.Concurrently, "concurrently")
	if o.Tablespace != "" {
		quoted, err := name("tablespace", o.Tablespace)
		if err != nil {
			return "", err
		}
		w.add("tablespace " + quoted)
	}
	return "reindex" + w.String() + " " + kind + " " + object, nil
}

// ClusterOptions are the options of [Cluster].
type ClusterOptions struct {
	Index string // by whose order the rows are written; "" is the one of the last time

	// Verbose gets what CLUSTER tells about each table, under the rules of ext.WithNotices.
	Verbose func(driver.Notice)
}

// Cluster writes a table anew in the order of an index, under a lock that keeps everybody out; "" is every table that was
// clustered before. An index is in the schema of its table, so its name has no schema of its own.
func Cluster(ctx context.Context, q ext.OutsideTx, table string, o ClusterOptions) error {
	text, err := clusterText(table, o)
	if err == nil {
		err = maintain(ctx, q, text, nil, o.Verbose)
	}
	return maintenanceError("cluster", missingOf(ctx, q, []string{table}, err))
}

func clusterText(table string, o ClusterOptions) (string, error) {
	text := "cluster"
	if o.Verbose != nil {
		text += " verbose" // in the old form, the only one for all tables before PostgreSQL 17
	}
	if table == "" {
		if o.Index != "" {
			return "", errors.New("an index belongs to one table")
		}
		return text, nil
	}
	quoted, err := relation(table)
	if err == nil {
		text += " " + quoted
		if o.Index != "" {
			quoted, err = name("index", o.Index)
			text += " using " + quoted
		}
	}
	return text, err
}
