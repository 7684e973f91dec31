package natsd

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// clientPrefix is in a line about a client's connection: what a stranger does wrong is no error of ours.
const clientPrefix = " - cid:"

// logger brings the server's log lines to slog. Fatalf is how JetStream reports
// that it cannot start.
type logger struct {
	slog   *slog.Logger
	fatal  chan string
	broken chan error // a stream cannot be written to any more
}

func (l *logger) Noticef(format string, v ...any) {
	l.slog.Debug(fmt.Sprintf(format, v...), "part", "nats")
}
func (l *logger) Warnf(format string, v ...any) {
	l.slog.Warn(fmt.Sprintf(format, v...), "part", "nats")
}
func (l *logger) Errorf(format string, v ...any) {
	if strings.Contains(format, criticalWriteError) {
		l.offer(v)
	}
	text, level := fmt.Sprintf(format, v...), slog.LevelError
	if strings.Contains(text, clientPrefix) {
		level = slog.LevelWarn
	}
	l.slog.Log(context.Background(), level, text, "part", "nats")
}
func (l *logger) Debugf(string, ...any) {}
func (l *logger) Tracef(string, ...any) {}

func (l *logger) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default: // the first reason counts
	}
}

// criticalWriteError is how the server says that it froze a stream after a failed write.
// It has no other sign: publishers are not answered, and its health check stays well.
const criticalWriteError = "Critical write error"

// offer passes on the error among v.
func (l *logger) offer(v []any) {
	for _, x := range v {
		if err, ok := x.(error); ok {
			select {
			case l.broken <- err:
			default: // one is enough
			}
			return
		}
	}
}
