package admin_test

import (
	"database/sql"
	"encoding/json"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

type address struct{ Street, City string }

type audited struct {
	CreatedAt time.Time `ddl:"default=now()"`
}

type everything struct {
	ID      int64  `ddl:"identity,primarykey"`
	Email   string `db:"e mail" ddl:"unique"`
	Price   string `ddl:"type=numeric(10,2),default=0,check=price >= 0"`
	OwnerID *int32 `ddl:"references=app.owner(id),ondelete=set null,onupdate=cascade"`
	Note    string `ddl:"null,collate=C,comment=as the customer wrote it"`
	Skipped string `db:"-"`
	Left    string `ddl:"-"`
	audited
	Tags    []string
	Grid    [][]int
	Home    address
	Homes   []address
	More    map[string]any
	Raw     json.RawMessage
	Key     [16]byte
	Data    []byte
	Wait    time.Duration
	Small   int8
	Port    uint16
	Big     uint64
	Ratio   float32
	Exact   *big.Int
	Addr    netip.Addr
	Net     netip.Prefix
	IP      net.IP
	Mac     net.HardwareAddr
	Maybe   sql.Null[int16]
	Old     sql.NullString
	Day     pgtype.Date
	Amount  pgtype.Numeric
	OK      bool
	Doubled float64 `ddl:"generated=ratio * 2,null"`
}

func TestCreateTableForAStruct(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	mustExec(t, db, "create schema app", "create table app.owner (id int primary key)")
	verdict(t, "CreateTableFor", true)(admin.CreateTableFor[everything](ctx, db, "app.everything", admin.TableOptions{Comment: "all of it"}))
	verdict(t, "CreateTableFor again", false)(admin.CreateTableFor[*everything](ctx, db, "app.everything", admin.TableOptions{IfNotExists: true}))
	columns := must(admin.TableInfo(ctx, db, "app.everything"))(t)
	var got []string
	for _, c := range columns {
		text := c.Name + " " + c.Type
		if !c.Nullable {
			text += " not null"
		}
		got = append(got, text)
	}
	want := []string{
		"id bigint not null", "e mail text not null", "price numeric(10,2) not null", "owner_id integer", "note text", "created_at timestamp with time zone not null", "tags text[]", "grid bigint[]", "home jsonb not null", "homes jsonb", "more jsonb",
		"raw jsonb", "key uuid not null", "data bytea", "wait interval not null", "small smallint not null", "port integer not null", "big numeric(20,0) not null", "ratio real not null", "exact numeric", "addr inet not null", "net cidr not null", "ip inet",
		"mac macaddr", "maybe smallint", "old text", "day date", "amount numeric", "ok boolean not null", "doubled double precision",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if columns[0].Identity != "by default" || columns[2].Default != "0" || columns[4].Collation != "C" || columns[4].Comment != "as the customer wrote it" || columns[5].Default != "now()" {
		t.Errorf("columns = %+v", columns)
	}
	d := must(admin.DescribeTable(ctx, db, "app.everything"))(t)
	foreign := slices.IndexFunc(d.Constraints, func(c admin.Constraint) bool { return c.Kind == admin.ForeignKeyConstraint })
	if foreign < 0 || d.Constraints[foreign].OnDelete != admin.SetNull || d.Constraints[foreign].OnUpdate != admin.Cascade || d.Constraints[foreign].RefTable != "owner" {
		t.Errorf("constraints = %+v", d.Constraints)
	}
}

type item struct {
	OrderID int64 `ddl:"primarykey"`
	Line    int   `ddl:"primarykey"`
	Name    string
	Tags    []string
	At      *time.Time
}

// TestRowsOfTheTableOfAStruct writes structs to the table that was made for them, and reads them back.
func TestRowsOfTheTableOfAStruct(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	ctx := t.Context()
	verdict(t, "CreateTableFor", true)(admin.CreateTableFor[item](ctx, db, "item", admin.TableOptions{}))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	rows := []item{{1, 1, "a", []string{"x", "y"}, &at}, {1, 2, "b", nil, nil}}
	if _, err := ext.InsertMany(ctx, db, "item", rows, ext.InsertOptions{}); err != nil {
		t.Fatal(err)
	}
	got := must(ext.Query[item](ctx, db, "select * from item order by line"))(t)
	if len(got) != 2 || !got[0].At.Equal(at) {
		t.Fatalf("got %+v", got)
	}
	got[0].At = &at
	if !reflect.DeepEqual(got, rows) {
		t.Errorf("got %+v, want %+v", got, rows)
	}
	if key := must(admin.PrimaryKey(ctx, db, "item"))(t); !slices.Equal(key, []string{"order_id", "line"}) {
		t.Errorf("key = %v", key)
	}
}

func TestStructsThatAreNoTables(t *testing.T) {
	t.Parallel()
	for name, fn := range map[string]func() ([]admin.ColumnDef, error){
		"int64 is no struct of columns":     admin.ColumnsFor[int64],
		"time.Time is no struct of columns": admin.ColumnsFor[time.Time],
		"stands for no type of PostgreSQL":  admin.ColumnsFor[struct{ C chan int }],
		`unknown option "primary"`: admin.ColumnsFor[struct {
			A int `ddl:"primary"`
		}],
		"identity: identity \"never\"": admin.ColumnsFor[struct {
			A int `ddl:"identity=never"`
		}],
		"type: it needs a value": admin.ColumnsFor[struct {
			A int `ddl:"type"`
		}],
		"unique: it takes no value": admin.ColumnsFor[struct {
			A int `ddl:"unique=yes"`
		}],
		"an open '('": admin.ColumnsFor[struct {
			A int `ddl:"type=numeric(10"`
		}],
		"A: ddl tag": admin.ColumnsFor[struct {
			A int `ddl:"default=1; drop"`
		}],
	} {
		if _, err := fn(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error = %v, want one about %s", err, name)
		}
	}
}

// TestTablesOfExtsTypes writes values of package ext's own types into the table that was made for them.
func TestTablesOfExtsTypes(t *testing.T) {
	t.Parallel()
	type values struct {
		Day      ext.Date
		Span     ext.Interval
		Clock    ext.TimeTZ
		Until    ext.InfTime
		Amount   ext.Numeric
		Attrs    ext.Hstore
		Maybe    *ext.Date
		Null     sql.Null[ext.Numeric]
		Doc      ext.JSONValue[[]int]
		Numbers  ext.ArrayValue[int64]
		Days     []ext.Date
		Small    ext.Range[int32]
		Big      ext.Range[int]
		Prices   ext.Range[ext.Numeric]
		Stay     ext.Range[ext.Date]
		During   ext.Range[time.Time]
		Openings ext.Multirange[int32]
	}
	db := openDB(t)
	ctx := t.Context()
	mustExec(t, db, "create extension hstore")
	verdict(t, "CreateTableFor", true)(admin.CreateTableFor[values](ctx, db, "values", admin.TableOptions{}))
	var got []string
	for _, c := range must(admin.TableInfo(ctx, db, "values"))(t) {
		got = append(got, c.Type)
	}
	want := []string{
		"date", "interval", "time with time zone", "timestamp with time zone", "numeric", "hstore", "date", "numeric", "jsonb", "bigint[]", "date[]",
		"int4range", "int8range", "numrange", "daterange", "tstzrange", "int4multirange",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	day := ext.Date{Year: 2024, Month: 2, Day: 29}
	price := must(ext.ParseNumeric("1.50"))(t)
	v := values{
		Day: day, Span: ext.Interval{Months: 1, Days: 2}, Clock: ext.TimeTZ{Clock: time.Hour, Offset: 3600}, Until: ext.InfTime{Infinity: pgtype.Infinity},
		Amount: price, Attrs: ext.Hstore{"a": {}}, Doc: ext.JSONValue[[]int]{V: []int{1}},
		Numbers: ext.ArrayValue[int64]{Elements: []int64{7}, Dims: []ext.ArrayDim{{Length: 1, Lower: 0}}, Valid: true}, Days: []ext.Date{day},
		Small: ext.NewRange[int32](1, 5, "[)"), Big: ext.NewRange(1, 5, "[)"), Prices: ext.NewRange(price, price, "[]"), Stay: ext.Range[ext.Date]{Empty: true},
		During: ext.Range[time.Time]{LowerInf: true, UpperInf: true}, Openings: ext.Multirange[int32]{ext.NewRange[int32](1, 2, "[)")},
	}
	if _, err := ext.InsertMany(ctx, db, "values", []values{v}, ext.InsertOptions{}); err != nil {
		t.Fatal(err)
	}
	if back := must(ext.QueryOne[values](ctx, db, "select * from values"))(t); !reflect.DeepEqual(back, v) {
		t.Errorf("got\n%+v\nwant\n%+v", back, v)
	}
}
