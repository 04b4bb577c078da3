package postgis_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pycopg/pycopg/admin/postgis"
	"github.com/pycopg/pycopg/ext"
	"github.com/twpayne/go-geom"
)

func ExampleGeometry() {
	var (
		ctx context.Context
		db  *sql.DB
	)
	type city struct {
		Name     string
		Location postgis.Geometry
	}
	paris := geom.NewPointFlat(geom.XY, []float64{2.3522, 48.8566}).SetSRID(4326)
	_, err := ext.InsertMany(ctx, db, "cities", []city{{"Paris", postgis.Geometry{T: paris}}}, ext.InsertOptions{})
	if err != nil {
		panic(err)
	}
	cities, err := ext.Query[city](ctx, db, "select name, location from cities")
	fmt.Println(cities, err)
}

func ExampleNearest() {
	var (
		ctx context.Context
		db  *sql.DB
	)
	type near struct {
		Name     string
		Distance float64
	}
	stations, err := postgis.Nearest[near](ctx, db, "stations", "location", postgis.Point(2.3522, 48.8566), 5, postgis.Options{
		Columns: []string{"name"}, Where: "open = $1", Args: []any{true}, Unit: postgis.Metres,
	})
	for _, s := range stations {
		fmt.Printf("%s: %.0f m\n", s.Name, s.Distance)
	}
	fmt.Println(err)
}

func ExampleReadFeatures() {
	var (
		ctx context.Context
		db  *sql.DB
	)
	fc, err := postgis.ReadFeatures(ctx, db, postgis.ReadOptions{Geometry: "location", ID: "id"}, "select * from cities where country = $1", "FR")
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(fc) // {"type":"FeatureCollection","features":[…]}
}
