package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// connection is a bare HTTP/1.1 client. That of net/http needs several times
// the CPU for each request, and on a small machine the server under test pays for it.
type connection struct {
	dial   func(context.Context) (net.Conn, error)
	conn   net.Conn // nil when there is none
	reader *bufio.Reader
}

var (
	errDial     = errors.New("cannot connect")
	errProtocol = errors.New("the answer is not HTTP/1.1")
)

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close() // whatever it says, it is not used again
		c.conn = nil
	}
}

// send writes a request and reads its answer, whose body it throws away. It
// connects when it has to. After an error the connection is closed.
func (c *connection) send(ctx context.Context, request []byte) (status int, err error) {
	if c.conn == nil {
		if c.conn, err = c.dial(ctx); err != nil {
			c.conn = nil
			return 0, fmt.Errorf("%w: %w", errDial, err)
		}
		c.reader = bufio.NewReaderSize(c.conn, 4096)
	}
	keep := false
	defer func() {
		if err != nil || !keep {
			c.close()
		}
	}()
	if err := c.conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return 0, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	status, keep, err = c.answer()
	return status, err
}

// answer reads an answer. keep says whether the connection can be used again.
func (c *connection) answer() (status int, keep bool, err error) {
	line, err := c.line()
	if err != nil {
		return 0, false, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, false, errProtocol
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, false, errProtocol
	}
	h, err := c.headers()
	if err != nil {
		return 0, false, err
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		h.length, h.chunked = 0, false
	}
	return status, !h.closes, c.discard(h)
}

// headers are those that say where the answer ends.
type headers struct {
	length  int // -1 when not given
	chunked bool
	closes  bool
}

func (c *connection) headers() (headers, error) {
	h := headers{length: -1}
	for {
		line, err := c.line()
		if err != nil || len(line) == 0 {
			return h, err
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return h, errProtocol
		}
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if h.length, err = strconv.Atoi(string(value)); err != nil || h.length < 0 {
				return h, errProtocol
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			h.chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("Connection")):
			h.closes = bytes.EqualFold(value, []byte("close"))
		}
	}
}

// discard reads the body.
func (c *connection) discard(h headers) error {
	switch {
	case h.chunked:
		return c.discardChunks()
	case h.length >= 0:
		_, err := c.reader.Discard(h.length)
		return err
	case h.closes:
		_, err := io.Copy(io.Discard, c.reader)
		return err
	}
	return errProtocol
}

func (c *connection) discardChunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return errProtocol
		}
		if _, err := c.reader.Discard(int(n) + len("\r\n")); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

// line returns the next line without its end; it is valid until the next read.
func (c *connection) line() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// cause puts an error of send into a word for the report.
func cause(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, errDial):
		return "not connected"
	case errors.Is(err, errProtocol):
		return errProtocol.Error()
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	}
	return "connection lost"
}
