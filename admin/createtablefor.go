package admin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// CreateTableFor creates a table for the rows of a struct type, as ext.Query and ext.InsertMany read and write them: a column for each
// field, named by its db tag or, without one, by its name in snake case. Like [CreateTable] it returns whether it did.
//
// The column's type is that of the field: bigint for int and int64, integer for int32, text, boolean, double precision,
// timestamptz for time.Time, interval for time.Duration, bytea for []byte, uuid for [16]byte, inet for netip.Addr, numeric for
// *big.Int and ext.Numeric, range types for ext.Range, arrays for slices, jsonb for structs and maps, and so on. Columns are
// NOT NULL unless the field can hold NULL: pointers, sql.Null, slices and maps. A type that stands for none needs a tag.
//
// The ddl tag says more, separated by commas (those in parentheses and quotes separate nothing):
//
//	ID      int64   `ddl:"identity,primarykey"`
//	Email   string  `ddl:"unique"`
//	Price   string  `ddl:"type=numeric(10,2),default=0,check=price >= 0"`
//	OwnerID *int64  `ddl:"references=app.users(id),ondelete=set null"`
//	Total   float64 `ddl:"generated=price * amount"`
//	Note    string  `ddl:"null,collate=C,comment=as the customer wrote it"`
//	Skipped string  `ddl:"-"`
//
// identity alone is BY DEFAULT, identity=always is ALWAYS. Several fields with primarykey make one key of them all.
func CreateTableFor[T any](ctx context.Context, q ext.Querier, table string, o TableOptions) (created bool, err error) {
	columns, err := ColumnsFor[T]()
	if err != nil {
		return false, refused("create table", table, err)
	}
	return CreateTable(ctx, q, table, columns, o.withKey(columns))
}

// withKey makes the primary key of several columns one of the table.
func (o TableOptions) withKey(columns []ColumnDef) TableOptions {
	var key []string
	for _, c := range columns {
		if c.PrimaryKey {
			key = append(key, c.Name)
		}
	}
	if len(key) < 2 {
		return o
	}
	for i := range columns {
		columns[i].PrimaryKey = false
	}
	if len(o.PrimaryKey) == 0 {
		o.PrimaryKey = key
	}
	return o
}

// ColumnsFor returns the columns that [CreateTableFor] makes, to be changed before [CreateTable].
func ColumnsFor[T any]() ([]ColumnDef, error) {
	t := reflect.TypeFor[T]()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !ext.IsRowStruct(t) {
		return nil, fmt.Errorf("%s is no struct of columns", t)
	}
	fields, err := ext.StructFields(t)
	if err != nil {
		return nil, err
	}
	var columns []ColumnDef
	for _, f := range fields {
		tag := t.FieldByIndex(f.Index).Tag.Get("ddl")
		if tag == "-" {
			continue
		}
		c, err := columnFor(f, tag)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, t.FieldByIndex(f.Index).Name, err)
		}
		columns = append(columns, c)
	}
	return columns, nil
}

func columnFor(f ext.StructField, tag string) (ColumnDef, error) {
	c := ColumnDef{Name: f.Column}
	typ, nullable, known := sqlType(f.Type)
	c.Type, c.NotNull = typ, !nullable
	if tag != "" {
		options, err := split("ddl tag", tag)
		if err != nil {
			return c, err
		}
		for _, option := range options {
			if err := c.apply(option); err != nil {
				return c, fmt.Errorf("ddl tag %q: %w", tag, err)
			}
		}
	}
	if c.Type == "" && !known {
		return c, fmt.Errorf("%s stands for no type of PostgreSQL: say ddl:\"type=…\"", f.Type)
	}
	return c, nil
}

// ddlOptions are the options of a ddl tag: what they do to the column with the text behind the equals sign.
var ddlOptions = map[string]func(c *ColumnDef, value string) error{
	"type":       func(c *ColumnDef, v string) error { c.Type = v; return needed(v) },
	"null":       func(c *ColumnDef, v string) error { c.NotNull = false; return unneeded(v) },
	"notnull":    func(c *ColumnDef, v string) error { c.NotNull = true; return unneeded(v) },
	"primarykey": func(c *ColumnDef, v string) error { c.PrimaryKey = true; return unneeded(v) },
	"unique":     func(c *ColumnDef, v string) error { c.Unique = true; return unneeded(v) },
	"default":    func(c *ColumnDef, v string) error { c.Default = v; return needed(v) },
	"generated":  func(c *ColumnDef, v string) error { c.Generated = v; return needed(v) },
	"check":      func(c *ColumnDef, v string) error { c.Check = v; return needed(v) },
	"collate":    func(c *ColumnDef, v string) error { c.Collation = v; return needed(v) },
	"comment":    func(c *ColumnDef, v string) error { c.Comment = v; return needed(v) },
	"ondelete":   func(c *ColumnDef, v string) error { c.reference().OnDelete = Action(v); return needed(v) },
	"onupdate":   func(c *ColumnDef, v string) error { c.reference().OnUpdate = Action(v); return needed(v) },
	"identity": func(c *ColumnDef, v string) error {
		if c.Identity = Identity(v); v == "" {
			c.Identity = IdentityByDefault
		}
		return c.Identity.check()
	},
	"references": func(c *ColumnDef, v string) error {
		r := c.reference()
		table, columns, ok := strings.Cut(v, "(")
		if r.Table = strings.TrimSpace(table); ok {
			for column := range strings.SplitSeq(strings.TrimSuffix(columns, ")"), ",") {
				r.Columns = append(r.Columns, strings.TrimSpace(column))
			}
		}
		return needed(v)
	},
}

func (c *ColumnDef) apply(option string) error {
	key, value, _ := strings.Cut(option, "=")
	set, ok := ddlOptions[strings.TrimSpace(key)]
	if !ok {
		return fmt.Errorf("unknown option %q", key)
	}
	if err := set(c, strings.TrimSpace(value)); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (c *ColumnDef) reference() *Reference {
	if c.References == nil {
		c.References = &Reference{}
	}
	return c.References
}

func needed(value string) error {
	if value == "" {
		return errors.New("it needs a value")
	}
	return nil
}

func unneeded(value string) error {
	if value != "" {
		return errors.New("it takes no value")
	}
	return nil
}
