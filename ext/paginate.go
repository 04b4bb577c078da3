package ext

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// PageOptions choose a page.
type PageOptions struct {
	Size  int  // rows on a page, 100 when it is not positive
	Total bool // count the rows of all pages too, with a statement of its own

	// Number is that of the page, from 1; 0 is 1. The server reads the rows of all pages ahead of it, and rows that come
	// or go in between shift. The statement says the order.
	Number int

	// Keys page by the values in the rows instead: each page costs the same, and nothing shifts. They are columns of the
	// result that together are unique and not NULL; the rows come in their order.
	Keys  []PageKey
	After []any // the Next of the page before, nil for the first page
}

// PageKey is a column of the order.
type PageKey struct {
	Column string
	Desc   bool
}

// Page is some rows of a result.
type Page[T any] struct {
	Rows  []T
	More  bool  // another page follows
	Next  []any // with Keys: PageOptions.After of the page that follows, nil when there is none
	Total int64 // where it was asked for
}

const defaultPageSize = 100

// Paginate returns one page of the rows of a statement. sql is a SELECT without LIMIT, OFFSET, locking clause or semicolon;
// without Keys it should end with ORDER BY, with Keys it needs none. T is as in [Query]; with Keys it is a struct, a pointer
// to one, or map[string]any, that has the keys.
func Paginate[T any](ctx context.Context, q Querier, o PageOptions, sql string, args ...any) (Page[T], error) {
	p, err := paginate[T](ctx, q, o, sql, args)
	if err != nil {
		return Page[T]{}, fmt.Errorf("ext: paginate: %w", err)
	}
	return p, nil
}

func paginate[T any](ctx context.Context, q Querier, o PageOptions, sql string, args []any) (p Page[T], err error) {
	if o.Size <= 0 {
		o.Size = defaultPageSize
	}
	text, pageArgs, err := pageSQL(o, sql, args)
	if err != nil {
		return p, err
	}
	rows, err := q.QueryContext(native(ctx), text, pageArgs...)
	if err != nil {
		return p, err
	}
	if p.Rows, err = collect[T](rows); err != nil {
		return p, err
	}
	if p.More = len(p.Rows) > o.Size; p.More {
		p.Rows = p.Rows[:o.Size:o.Size]
		if len(o.Keys) > 0 {
			if p.Next, err = keysOf(p.Rows[o.Size-1], o.Keys); err != nil {
				return p, err
			}
		}
	}
	if o.Total {
		p.Total, err = QueryVal[int64](native(ctx), q, "select count(*) from ("+sql+"\n) as page", args...)
	}
	return p, err
}

// pageSQL is the statement of a page. It asks for one row more than the page has.
func pageSQL(o PageOptions, sql string, args []any) (string, []any, error) {
	args = slices.Clone(args)
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	if len(o.Keys) == 0 {
		if o.Number < 0 || o.After != nil {
			return "", nil, errors.New("a page has a Number from 1, or Keys and After")
		}
		offset := int64(max(o.Number-1, 0)) * int64(o.Size)
		return sql + "\nlimit " + arg(int64(o.Size)+1) + " offset " + arg(offset), args, nil
	}
	if o.Number > 0 || o.After != nil && len(o.After) != len(o.Keys) {
		return "", nil, fmt.Errorf("the Keys go with After, of %d values, and without a Number", len(o.Keys))
	}
	order := make([]string, len(o.Keys))
	for i, k := range o.Keys {
		if err := CheckName(k.Column); err != nil {
			return "", nil, fmt.Errorf("key %q: %w", k.Column, err)
		}
		order[i] = "page." + QuoteName(k.Column)
		if k.Desc {
			order[i] += " desc"
		}
	}
	text := "select * from (" + sql + "\n) as page"
	if o.After != nil {
		text += " where " + behind(o, arg)
	}
	return text + " order by " + strings.Join(order, ", ") + " limit " + arg(int64(o.Size)+1), args, nil
}

// behind is the condition of the rows after a page. Keys of one direction are compared as a row, which an index serves.
func behind(o PageOptions, arg func(any) string) string {
	columns, values := make([]string, len(o.Keys)), make([]string, len(o.Keys))
	alike := true
	for i, k := range o.Keys {
		columns[i], values[i] = "page."+QuoteName(k.Column), arg(o.After[i])
		alike = alike && k.Desc == o.Keys[0].Desc
	}
	sign := func(k PageKey) string {
		if k.Desc {
			return " < "
		}
		return " > "
	}
	if alike {
		return "(" + strings.Join(columns, ", ") + ")" + sign(o.Keys[0]) + "(" + strings.Join(values, ", ") + ")"
	}
	var cases []string
	same := ""
	for i, k := range o.Keys {
		cases = append(cases, same+columns[i]+sign(k)+values[i])
		same += columns[i] + " = " + values[i] + " and "
	}
	return "(" + strings.Join(cases, " or ") + ")"
}

// keysOf are the values of the keys in a row.
func keysOf(row any, keys []PageKey) ([]any, error) {
	next := make([]any, len(keys))
	for i, k := range keys {
		v, err := columnOf(row, k.Column)
		if err != nil {
			return nil, err
		}
		next[i] = v
	}
	return next, nil
}

func columnOf(row any, column string) (any, error) {
	if m, ok := row.(map[string]any); ok {
		if v, ok := m[column]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("the rows have no key column %q", column)
	}
	v := reflect.Indirect(reflect.ValueOf(row))
	if !v.IsValid() || !isRowStruct(v.Type()) {
		return nil, fmt.Errorf("rows of %T have no key column %q: Keys need structs or maps", row, column)
	}
	fields, err := fieldsOf(v.Type())
	if err != nil {
		return nil, err
	}
	n, ok := fields.byColumn[column]
	if !ok {
		return nil, fmt.Errorf("%s has no field for the key column %q", v.Type(), column)
	}
	return v.FieldByIndex(fields.fields[n].index).Interface(), nil
}
