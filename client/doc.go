// Package client is for programs that consume paynorm's events or ask it
// questions. It uses the messages of gen/, NATS and gRPC, and nothing of the server.
//
// Subscribe hands each event on NATS to the handler of its kind and acknowledges
// it when the handler succeeds. Delivery is at least once: a handler may see an
// event again after a crash, or when an acknowledgement is lost. Events that were
// handled a moment ago are kept out (see Seen), but only a handler that is
// idempotent by the event's name is safe: the same fact always has the same name.
//
// Queries asks over gRPC: single events and payments, lists without pages, and
// watches that resume by themselves.
package client
