// Command baseline is what paynorm is measured against: the webhook receiver
// that a good engineer writes in an afternoon. One provider (Clip), net/http, a
// secret in the URL, the normalized event with the body that it was made of in one
// synchronous JetStream publish for each delivery, then 200. Its NATS server is a
// program of its own, or embedded as paynorm's is.
//
// It keeps the promise that matters most, an acknowledged event is on disk, and
// does nothing else that paynorm does: it de-duplicates within JetStream's window
// of two minutes only, knows no order, no payment versions, no quarantine and no
// queries.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type options struct{ http, url, nats, store, token, sync string }

func main() {
	var o options
	flag.StringVar(&o.http, "http", "127.0.0.1:8082", "where to take webhooks")
	flag.StringVar(&o.url, "url", "", "of a NATS server; empty embeds one, which -nats, -store and -sync are for")
	flag.StringVar(&o.nats, "nats", "127.0.0.1:4223", "where subscribers connect")
	flag.StringVar(&o.store, "store", "", "folder of the NATS server's store")
	flag.StringVar(&o.token, "token", "", "secret that the URL must carry as token")
	flag.StringVar(&o.sync, "sync", "always", "always: each event is on disk when it is acknowledged; default: the server syncs every two minutes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "baseline:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.token == "" || (o.url == "") == (o.store == "") || (o.sync != "always" && o.sync != "default") {
		return errors.New("-token is required, -url or -store, and -sync is always or default")
	}
	connect := []nats.Option{nats.MaxReconnects(-1)}
	if o.url == "" {
		s, err := startNATS(o)
		if err != nil {
			return err
		}
		defer func() {
			s.Shutdown()
			s.WaitForShutdown()
		}()
		connect = append(connect, nats.InProcessServer(s))
	}
	nc, err := nats.Connect(o.url, connect...)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"payments.v1.>"}}); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /webhooks/clip/{merchant}", &receiver{js: js, token: []byte(o.token)})
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	web := &http.Server{Addr: o.http, Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second}
	served := make(chan error, 1)
	go func() { served <- web.ListenAndServe() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return web.Shutdown(ctx)
}

func startNATS(o options) (*server.Server, error) {
	host, port, err := net.SplitHostPort(o.nats)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		Host: host, Port: number, JetStream: true, StoreDir: o.store, SyncAlways: o.sync == "always", NoSigs: true,
	})
	if err != nil {
		return nil, err
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("the NATS server does not start")
	}
	return s, nil
}
