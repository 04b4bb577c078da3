package compat

import (
	"testing"

	"github.com/jmoiron/sqlx"
	pqdriver "github.com/lib/pq"

	"github.com/pycopg/pycopg/sqltest"
)

type city struct {
	ID     int64                `db:"id"`
	Name   string               `db:"name"`
	People *int64               `db:"people"`
	Tags   pqdriver.StringArray `db:"tags"`
}

const cityTable = "create table city (id int8 generated always as identity primary key, name text not null unique, people int8, tags text[] not null default '{}')"

func TestSqlxProgram(t *testing.T) {
	t.Parallel()
	sqlx.BindDriver(ours, sqlx.DOLLAR)
	db, err := sqlx.Connect(ours, dsnOf(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.MustExec(cityTable)
	if _, err := db.NamedExec("insert into city (name, people, tags) values (:name, :people, :tags)", []city{
		{Name: "Bern", People: ptr(int64(134591)), Tags: pqdriver.StringArray{"capital", "aare"}}, {Name: "Thun", Tags: pqdriver.StringArray{}},
	}); err != nil {
		t.Fatal(err)
	}
	tx := db.MustBegin()
	stmt, err := tx.PrepareNamed("update city set people = :n where name = :name returning *")
	if err != nil {
		t.Fatal(err)
	}
	var thun city
	if err := stmt.Get(&thun, map[string]any{"n": 43734, "name": "Thun"}); err != nil || *thun.People != 43734 {
		t.Errorf("updated %+v, %v", thun, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	query, args, err := sqlx.In("select * from city where name in (?) order by id", []string{"Bern", "Thun"})
	if err != nil {
		t.Fatal(err)
	}
	var cities []city
	if err := db.Select(&cities, db.Rebind(query), args...); err != nil {
		t.Fatal(err)
	}
	if len(cities) != 2 || *cities[0].People != 134591 || cities[0].Tags[1] != "aare" || cities[1].People != nil {
		t.Errorf("cities %+v", cities)
	}
	rows, err := db.Queryx("select name, people, tags from city where id = $1", cities[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		got := make(map[string]any)
		if err := rows.MapScan(got); err != nil || got["name"] != "Bern" || got["people"] != int64(134591) || got["tags"] != "{capital,aare}" {
			t.Errorf("map %v, %v", got, err)
		}
	}
	if calls := doThrough(t, db); calls != 1 {
		t.Errorf("driver.Do ran %d times", calls)
	}
}
