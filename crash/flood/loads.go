package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// load is what each of some connections does.
type load struct {
	name        string
	connections int
	lasts       time.Duration
	head        string
	body        []byte
	stops       bool // after head and body, without a word, and the connection stays
}

// small is a webhook as Clip sends it.
const small = `{"payment_request_id":"00000000-0000-4000-8000-000000000000","resource":"CHECKOUT","resource_status":"COMPLETED"}`

const target = "POST /webhooks/clip/acme?token=token-of-the-crash-tests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

func headOf(length int) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n", target, length) }

// loads are more than the defaults let in: 2048 webhooks, 64 MiB of bodies,
// 4096 connections.
func loads() []load {
	large := []byte(small[:len(small)-1] + `,"x":"` + strings.Repeat("x", 1<<20-len(small)-7) + `"}`)
	chunked := fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", len(large), large)
	return []load{
		{name: "small", connections: 256, head: headOf(len(small)), body: []byte(small)},
		{name: "large", connections: 2048, head: headOf(len(large)), body: large},
		{name: "chunked", connections: 2048, head: target + "Transfer-Encoding: chunked\r\n\r\n", body: chunked},
		{name: "idle", connections: 4096, stops: true},
		{name: "half", connections: 4096, head: headOf(len(large)), body: large[:len(large)/2], stops: true},
		{name: "headers", connections: 4096, head: target, body: bytes.Repeat([]byte("X: "+strings.Repeat("x", 1000)+"\r\n"), 30), stops: true},
	}
}
