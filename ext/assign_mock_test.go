package ext_test

import (
	"reflect"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/ext"
)

func TestArraysOfADriverThatNamesNoTypes(t *testing.T) {
	t.Parallel()
	type row struct {
		Numbers []int32
		Names   []string
		Shares  []float64
		Flags   []bool
		Maybe   []*int64
	}
	db, mock, err := sqlmock.New()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mock.ExpectQuery("select").WillReturnRows(sqlmock.NewRows([]string{"numbers", "names", "shares", "flags", "maybe"}).
		AddRow("{1,2}", `{a,"b c"}`, []byte("{0.5}"), "{t,f}", "{7,NULL}"))
	got, err := ext.QueryOne[row](t.Context(), db, "select")
	seven := int64(7)
	if want := (row{[]int32{1, 2}, []string{"a", "b c"}, []float64{0.5}, []bool{true, false}, []*int64{&seven, nil}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}
