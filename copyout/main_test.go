package copyout_test

import (
	"testing"

	"github.com/pycopg/pycopg/internal/exampledb"
)

func TestMain(m *testing.M) { exampledb.Main(m) }
