package compat

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	pqdriver "github.com/lib/pq"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

type account struct {
	ID        uint
	CreatedAt time.Time
	Owner     string               `gorm:"size:80;uniqueIndex"`
	Balance   float64              `gorm:"type:numeric(12,2)"`
	Labels    pqdriver.StringArray `gorm:"type:text[]"`
	Notes     map[string]any       `gorm:"type:jsonb;serializer:json"`
	Transfers []transfer
}

type transfer struct {
	ID        uint
	AccountID uint
	Amount    float64 `gorm:"type:numeric(12,2)"`
}

func TestGormProgram(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		dialect func(dsn string, db *sql.DB) postgres.Config
		config  gorm.Config
	}{
		"driver name": {
			dialect: func(dsn string, _ *sql.DB) postgres.Config { return postgres.Config{DriverName: ours, DSN: dsn} },
		},
		"existing *sql.DB": { // GORM puts a pgx.QueryExecMode before the arguments of its catalog queries then
			dialect: func(_ string, db *sql.DB) postgres.Config { return postgres.Config{Conn: db} },
		},
		"PrepareStmt": {
			dialect: func(dsn string, _ *sql.DB) postgres.Config { return postgres.Config{DriverName: ours, DSN: dsn} },
			config:  gorm.Config{PrepareStmt: true},
		},
		"PreferSimpleProtocol": {
			dialect: func(dsn string, db *sql.DB) postgres.Config {
				return postgres.Config{Conn: db, PreferSimpleProtocol: true}
			},
			config: gorm.Config{SkipDefaultTransaction: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := dsnOf(t, sqltest.Options{})
			tt.config.Logger = logger.Discard
			tt.config.TranslateError = true
			db, err := gorm.Open(postgres.New(tt.dialect(dsn, open(t, ours, dsn))), &tt.config)
			if err != nil {
				t.Fatal(err)
			}
			pool, err := db.DB()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { pool.Close() })
			gormProgram(t, db.WithContext(t.Context()))
			gormDoor(t, db.WithContext(t.Context()), pool, tt.config.PrepareStmt)
		})
	}
}

func gormProgram(t *testing.T, db *gorm.DB) {
	t.Helper()
	for range 2 { // the second finds the tables and compares their columns
		if err := db.AutoMigrate(&account{}, &transfer{}); err != nil {
			t.Fatal(err)
		}
	}
	ann := account{
		Owner: "Ann", Balance: 12.25, Labels: pqdriver.StringArray{"a", "b,c"}, Notes: map[string]any{"vip": true},
		Transfers: []transfer{{Amount: 1}, {Amount: 2.5}},
	}
	if err := db.Create(&ann).Error; err != nil {
		t.Fatal(err)
	}
	if err := db.Create(&account{Owner: "Ann"}).Error; !errors.Is(err, gorm.ErrDuplicatedKey) {
		t.Errorf("second Ann: %v, want gorm.ErrDuplicatedKey", err)
	}
	failed := errors.New("changed my mind")
	if err := db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&account{}).Where("owner = ?", "Ann").Update("balance", 99).Error; err != nil {
			return err
		}
		err := tx.Transaction(func(inner *gorm.DB) error { return inner.Create(&account{Owner: "Ann"}).Error }) // a savepoint
		if !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("inner transaction: %v", err)
		}
		return failed
	}); !errors.Is(err, failed) {
		t.Errorf("transaction: %v, want its own error", err)
	}
	for range 7 {
		var got account
		if err := db.Preload("Transfers").Where("owner IN ?", []string{"Ann", "Bob"}).First(&got).Error; err != nil {
			t.Fatal(err)
		}
		if got.Balance != 12.25 || len(got.Labels) != 2 || got.Notes["vip"] != true || len(got.Transfers) != 2 || !got.CreatedAt.Round(time.Microsecond).Equal(ann.CreatedAt.Round(time.Microsecond)) {
			t.Errorf("read %+v, want %+v", got, ann)
		}
	}
	if result := db.Where("amount > ?", 2).Delete(&transfer{}); result.Error != nil || result.RowsAffected != 1 {
		t.Errorf("deleted %d, %v", result.RowsAffected, result.Error)
	}
}

// gormDoor reaches the connection through what GORM hands out. With PrepareStmt it prepares everything that runs on its own
// handle, so that only the *sql.DB leads to the connection.
func gormDoor(t *testing.T, db *gorm.DB, pool *sql.DB, prepares bool) {
	t.Helper()
	if calls := doThrough(t, pool); calls != 1 {
		t.Errorf("driver.Do on the *sql.DB ran %d times", calls)
	}
	h, ok := db.Statement.ConnPool.(driver.Execer)
	if !ok {
		t.Fatalf("%T is no driver.Execer", db.Statement.ConnPool)
	}
	if !prepares {
		if calls := doThrough(t, h); calls != 1 {
			t.Errorf("driver.Do on %T ran %d times", h, calls)
		}
		return
	}
	_, err := driver.Do(t.Context(), h, "no SQL at all", func(context.Context, *driver.Conn) (int64, error) {
		t.Error("driver.Do ran its function through a prepared statement")
		return 0, nil
	})
	if err == nil || !strings.Contains(err.Error(), "prepared") || !strings.Contains(err.Error(), "*sql.DB") {
		t.Errorf("driver.Do through PrepareStmt: %v, want an error that says what to do", err)
	}
}
