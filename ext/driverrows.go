package ext

import (
	"context"
	sqldriver "database/sql/driver"
	"iter"
)

// DriverRows reads rows of a driver as [Stream] reads those of a query: for packages that get rows in other ways. The rows
// are read once, and closed when the loop ends. The errors are those of the rows and of reading them, as they are. Rows with a
// method KnownColumns() *driver.Columns are read with the pool's registered types.
func DriverRows[T any](rows sqldriver.Rows) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r := newReplay()
		defer r.close()
		r.rows = rows
		replayed, err := r.db.QueryContext(context.Background(), "")
		if err == nil {
			err = streamRows(replayed, knownOf(rows), yield)
		}
		if err != nil {
			var zero T
			yield(zero, err)
		}
	}
}
