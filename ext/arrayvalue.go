package ext

import (
	sqldriver "database/sql/driver"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/pgtext"
)

// ArrayValue is an array with its dimensions: what a slice cannot say of '[0:1]={a,b}'. The zero value is NULL.
type ArrayValue[T any] struct {
	Elements []T // of all dimensions, row by row; NULL elements need a *T or a sql.Null
	Dims     []ArrayDim
	Valid    bool // it is not NULL; without dimensions it is empty then
}

// ArrayDim is a dimension of an array.
type ArrayDim struct {
	Length int
	Lower  int // the index of the first element, usually 1
}

// Scan implements [database/sql.Scanner].
func (a *ArrayValue[T]) Scan(src any) error {
	*a = ArrayValue[T]{}
	text, null, err := scanned("array", src)
	if err != nil || null {
		return err
	}
	items, dims, err := pgtext.ParseArray(text, ',')
	if err != nil {
		return fmt.Errorf("ext: array: %w", err)
	}
	a.Elements, a.Valid = make([]T, len(items)), true
	for i, item := range items {
		if err := scanItem(&a.Elements[i], item); err != nil {
			return fmt.Errorf("ext: array: element %d: %w", i, err)
		}
	}
	for _, d := range dims {
		a.Dims = append(a.Dims, ArrayDim(d))
	}
	return nil
}

// scanItem stores an item of an array, composite or range.
func scanItem(dest any, item pgtext.Item) error {
	if item.Null {
		return driver.ScanText(dest, nil, nil, nil)
	}
	return driver.ScanItem(dest, item.Text)
}

// itemOf is a value as an item.
func itemOf(v any) (pgtext.Item, error) {
	text, null, err := driver.TextOf(v)
	return pgtext.Item{Text: text, Null: null}, err
}

// Value implements [sqldriver.Valuer].
func (a ArrayValue[T]) Value() (sqldriver.Value, error) {
	if !a.Valid {
		return nil, nil
	}
	items := make([]pgtext.Item, len(a.Elements))
	for i, v := range a.Elements {
		var err error
		if items[i], err = itemOf(v); err != nil {
			return nil, fmt.Errorf("ext: array: element %d: %w", i, err)
		}
	}
	dims := make([]pgtext.Dim, len(a.Dims))
	for i, d := range a.Dims {
		dims[i] = pgtext.Dim(d)
	}
	text, err := pgtext.AppendArray(nil, items, dims, ',')
	if err != nil {
		return nil, fmt.Errorf("ext: array: %w", err)
	}
	return string(text), nil
}
