package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pycopg/pycopg/ext"
)

// IndexKey is a column of an index, or an expression.
type IndexKey struct {
	Column     string // taken literally
	Expression string // SQL, instead of Column
	Desc       bool
	NullsFirst bool // where it is not the default, which is last, and first with Desc
	NullsLast  bool
	OpClass    string // "jsonb_path_ops", "public.gin_trgm_ops"
	Collation  string
}

// Keys are index keys of columns.
func Keys(columns ...string) []IndexKey {
	keys := make([]IndexKey, len(columns))
	for i, column := range columns {
		keys[i].Column = column
	}
	return keys
}

// Expr is an index key of an expression, which is SQL: Expr("lower(email)").
func Expr(sql string) IndexKey { return IndexKey{Expression: sql} }

// Desc is an index key of a column in descending order.
func Desc(column string) IndexKey { return IndexKey{Column: column, Desc: true} }

// IndexOptions are the options of [CreateIndex] and [CreateIndexConcurrently]. The zero value makes a B-tree.
type IndexOptions struct {
	Name             string // "" is the server's choice as far as one can know it: table_column_idx
	IfNotExists      bool
	Method           string // btree, hash, gist, spgist, gin, brin, or an extension's
	Unique           bool
	NullsNotDistinct bool              // with Unique: one NULL at most (PostgreSQL 15)
	Where            string            // SQL: only rows that meet the condition
	Include          []string          // columns that the index holds besides its keys
	With             map[string]string // storage parameters: fillfactor, fastupdate
	Tablespace       string
	Only             bool // not on the partitions of the table
}

// CreateIndex creates an index on a table. It returns the index's name, and whether it created it: with IfNotExists an index of that
// name is left as it is, without looking at its keys. Writes to the table wait until it is done; [CreateIndexConcurrently] lets them
// go on.
func CreateIndex(ctx context.Context, q ext.Querier, table string, keys []IndexKey, o IndexOptions) (name string, created bool, err error) {
	name, ch, err := createIndex(table, keys, o)
	if err == nil {
		created, err = ch.run(ctx, q)
		err = explain(ctx, q, table, err)
	}
	if err != nil {
		return "", false, refused("create index on", table, err)
	}
	return name, created, nil
}

func createIndex(table string, keys []IndexKey, o IndexOptions) (string, change, error) {
	n, err := ext.ParseName(table)
	if err != nil {
		return "", change{}, err
	}
	text, err := indexText(n, keys, o)
	if err != nil {
		return "", change{}, err
	}
	if o.Name == "" {
		o.Name = objectName(n.Name, keyNames(keys, o.Include), "idx")
	}
	quoted, err := name("index", o.Name)
	if err != nil {
		return "", change{}, err
	}
	before := "create index"
	if o.Unique {
		before = "create unique index"
	}
	return o.Name, creation(o.IfNotExists, before, quoted+text, question{besideQuestion, []string{n.Schema, n.Name, o.Name}}), nil
}

// indexText is what follows the index's name.
func indexText(table ext.Name, keys []IndexKey, o IndexOptions) (string, error) {
	text := " on "
	if o.Only {
		text += "only "
	}
	text += table.String()
	if o.Method != "" {
		method, err := name("method", o.Method)
		if err != nil {
			return "", err
		}
		text += " using " + method
	}
	if len(keys) == 0 {
		return "", errors.New("an index has at least one key")
	}
	keyList, err := list(keys, IndexKey.sql)
	if err != nil {
		return "", err
	}
	behind, err := o.behind()
	return text + " (" + keyList + ")" + behind, err
}

// behind is what follows the keys.
func (o IndexOptions) behind() (string, error) {
	text := ""
	if len(o.Include) > 0 {
		columns, err := names("column", o.Include)
		if err != nil {
			return "", err
		}
		text += " include (" + columns + ")"
	}
	if o.NullsNotDistinct {
		if !o.Unique {
			return "", errors.New("NullsNotDistinct is for unique indexes")
		}
		text += " nulls not distinct"
	}
	with, err := storage(o.With)
	if err != nil {
		return "", err
	}
	text += with
	if o.Tablespace != "" {
		tablespace, err := name("tablespace", o.Tablespace)
		if err != nil {
			return "", err
		}
		text += " tablespace " + tablespace
	}
	if o.Where == "" {
		return text, nil
	}
	return text + " where (" + o.Where + ")", expression("where", o.Where)
}

func (k IndexKey) sql() (string, error) {
	var text string
	var err error
	switch {
	case k.Column != "" && k.Expression != "":
		err = fmt.Errorf("column %q: a key is a column or an expression", k.Column)
	case k.Expression != "":
		text, err = "("+k.Expression+")", expression("expression", k.Expression)
	default:
		text, err = name("column", k.Column)
	}
	if err == nil && k.NullsFirst && k.NullsLast {
		err = errors.New("NullsFirst and NullsLast exclude each other")
	}
	for i, given := range []string{k.Collation, k.OpClass} {
		if given == "" || err != nil {
			continue
		}
		var quoted string
		quoted, err = relation(given)
		text += []string{" collate ", " "}[i] + quoted
	}
	for i, given := range []bool{k.Desc, k.NullsFirst, k.NullsLast} {
		if given {
			text += []string{" desc", " nulls first", " nulls last"}[i]
		}
	}
	return text, err
}

// keyNames are the parts of an index's name: the columns, the function of an expression that calls one, expr for others, as the
// server chooses them.
func keyNames(keys []IndexKey, include []string) []string {
	var parts []string
	for _, key := range keys {
		part := key.Column
		if part == "" {
			part = "expr"
			if n := strings.IndexFunc(key.Expression, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }); n > 0 && key.Expression[n] == '(' {
				part = key.Expression[:n]
			}
		}
		parts = append(parts, part)
	}
	return append(parts, include...)
}

// objectName is the name that the server gives an index or constraint: table_columns_label, of which the longer one of table and
// columns is cut off until it fits into 63 bytes.
func objectName(table string, columns []string, label string) string {
	const most = 63
	middle := cut(strings.Join(columns, "_"), most)
	rest := most - len(label) - 1
	if middle != "" {
		rest--
	}
	first := len(table)
	second := len(middle)
	for first+second > rest {
		if first > second {
			first--
		} else {
			second--
		}
	}
	table, middle = cut(table, first), cut(middle, second)
	if middle != "" {
		table += "_" + middle
	}
	return table + "_" + label
}

// cut shortens a text to at most n bytes, between two characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// DropIndex drops an index where it exists, and returns whether it did.
func DropIndex(ctx context.Context, q ext.Querier, index string, o DropOptions) (dropped bool, err error) {
	ch, err := dropRelation("index", index, o)
	return ch.decide(ctx, q, err, "drop index", index)
}

// RenameIndex renames an index; its schema stays.
func RenameIndex(ctx context.Context, q ext.Querier, index, to string) error {
	return rename(ctx, q, "index", index, to)
}

// rename renames a relation; kind is SQL's word for it.
func rename(ctx context.Context, q ext.Querier, kind, from, to string) error {
	text, err := renameText(kind, from, to)
	return onTable(ctx, q, "rename "+kind, from, text, err)
}

func renameText(kind, from, to string) (string, error) {
	old, err := relation(from)
	if err != nil {
		return "", err
	}
	text, err := name(kind, to)
	return "alter " + kind + " " + old + " rename to " + text, err
}
