package ext

import (
	"context"
	"log/slog"

	"github.com/pycopg/pycopg/driver"
)

// NoticeLogger returns a handler, for [WithNotices] and [OnNotice], that logs notices: the message, with the other fields that
// the server sent as the group "notice". A WARNING is logged as such, DEBUG as debug, all others as info. A nil logger is
// slog.Default().
func NoticeLogger(logger *slog.Logger) func(Notice) {
	return func(n Notice) {
		level := noticeLevel(n)
		if l := orDefaultLogger(logger); l.Enabled(context.Background(), level) {
			l.LogAttrs(context.Background(), level, n.Message, slog.Any("notice", n))
		}
	}
}

func orDefaultLogger(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.Default()
	}
	return logger
}

func noticeLevel(n Notice) slog.Level {
	severity := n.SeverityUnlocalized
	if severity == "" {
		severity = n.Severity
	}
	switch severity {
	case "WARNING":
		return slog.LevelWarn
	case "DEBUG":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// LogNotices has the notices of a pool logged as [NoticeLogger] does, with the backend's process as "pid". A hook that cfg has
// already is called first. It is called before the pool is made of cfg.
func LogNotices(cfg *driver.Config, logger *slog.Logger) {
	before := cfg.OnNotice
	cfg.OnNotice = func(c *driver.Conn, n Notice) {
		if before != nil {
			before(c, n)
		}
		NoticeLogger(orDefaultLogger(logger).With("pid", c.Info().BackendPID))(n)
	}
}
