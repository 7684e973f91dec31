package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	normalizerv1 "github.com/paynorm/paynorm/gen/paynorm/normalizer/v1"
)

func TestGetEventReturnsTheEvent(t *testing.T) {
	w := newWorld(t)
	events := w.publishUpTo(3)
	client := normalizerv1.NewEventServiceClient(w.conn)
	got, err := client.GetEvent(ctx(t), &normalizerv1.GetEventRequest{Name: "events/e2"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(events[1], got, protocmp.Transform()); diff != "" {
		t.Errorf("GetEvent (-want +got):\n%s", diff)
	}
	_, err = client.GetEvent(ctx(t), &normalizerv1.GetEventRequest{Name: "events/e4"})
	if diff := cmp.Diff(failure{Code: codes.NotFound, Reason: "NOT_FOUND", Message: "not found"}, failureOf(err)); diff != "" {
		t.Errorf("an unknown event (-want +got):\n%s", diff)
	}
	_, err = client.GetEvent(ctx(t), &normalizerv1.GetEventRequest{Name: "payments/p1"})
	if got := failureOf(err); got.Code != codes.InvalidArgument || len(got.Fields) != 1 || !strings.HasPrefix(got.Fields[0], "name: ") {
		t.Errorf("a name of another kind: %+v", got)
	}
}

func TestListEventsPagesFromTheNewestOn(t *testing.T) {
	w := newWorld(t)
	w.publishUpTo(25)
	client := normalizerv1.NewEventServiceClient(w.conn)
	request := &normalizerv1.ListEventsRequest{PageSize: 4, Filter: `merchant = "acme"`}
	var got []int64
	for page := 0; page == 0 || request.PageToken != ""; page++ {
		response, err := client.ListEvents(ctx(t), request)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range response.GetEvents() {
			got = append(got, e.GetCursor())
		}
		request.PageToken = response.GetNextPageToken()
		request.PageSize = 5               // may change
		w.publish(event(int64(26 + page))) // what comes meanwhile does not move the pages
	}
	if want := []int64{24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2}; !slices.Equal(got, want) {
		t.Errorf("events are %v, want %v", got, want)
	}
}

func TestPageSizeHasADefaultAndAMaximum(t *testing.T) {
	w := newWorld(t)
	var events []*eventv1.PaymentStatusChanged
	for cursor := range int64(1100) {
		events = append(events, event(cursor+1))
	}
	w.publish(events...)
	client := normalizerv1.NewEventServiceClient(w.conn)
	for asked, want := range map[int32]int{0: 50, 1: 1, 999: 999, 1000: 1000, 1001: 1000, 1 << 30: 1000} {
		got, err := client.ListEvents(ctx(t), &normalizerv1.ListEventsRequest{PageSize: asked})
		if err != nil || len(got.GetEvents()) != want || got.GetNextPageToken() == "" {
			t.Errorf("page_size %d gives %d events, token %q, %v, want %d and a token", asked, len(got.GetEvents()), got.GetNextPageToken(), err, want)
		}
	}
	_, err := client.ListEvents(ctx(t), &normalizerv1.ListEventsRequest{PageSize: -1})
	if diff := cmp.Diff(invalid("page_size", "must be greater than or equal to 0"), failureOf(err)); diff != "" {
		t.Errorf("a negative page_size (-want +got):\n%s", diff)
	}
}

func TestAPageIsNeverLargerThanAClientTakes(t *testing.T) {
	w := newWorld(t)
	var want []int64
	for cursor := range int64(9) {
		e := event(cursor + 1)
		e.ProviderStatus = strings.Repeat("x", 1<<20)
		if cursor == 4 { // alone too large for a page, but not for a message
			e.ProviderStatus = strings.Repeat("x", 7<<19)
		}
		w.publish(e)
		want = append([]int64{e.GetCursor()}, want...)
	}
	var got []int64
	for token := ""; len(got) == 0 || token != ""; {
		page, err := normalizerv1.NewEventServiceClient(w.conn).ListEvents(ctx(t), &normalizerv1.ListEventsRequest{PageSize: 1000, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			got = append(got, e.GetCursor())
		}
		token = page.GetNextPageToken()
	}
	if !slices.Equal(got, want) {
		t.Errorf("events are %v, want %v", got, want)
	}
}

func TestAWrongFilterOrTokenIsNamed(t *testing.T) {
	w := newWorld(t)
	w.publishUpTo(3)
	client := normalizerv1.NewEventServiceClient(w.conn)
	first, err := client.ListEvents(ctx(t), &normalizerv1.ListEventsRequest{PageSize: 1, Filter: "provider = clip"})
	if err != nil {
		t.Fatal(err)
	}
	token := first.GetNextPageToken()
	changed := []byte(token)
	changed[len(changed)-3] ^= 1
	const otherRequest = "belongs to a request with another filter"
	tests := []struct {
		name    string
		request *normalizerv1.ListEventsRequest
		want    failure
	}{
		{"unknown field", &normalizerv1.ListEventsRequest{Filter: "provider = clip AND amount = 5"}, invalid("filter", `at byte 20: unknown field "amount"; there are cursor, delivery, direction, disposition, dispute_status, kind, merchant, merchant_reference, mode, occur_time, payment, payment_status, proof_status, provider, provider_operation_id, provider_payment_id, receive_time, refund_status`)},
		{"another filter", &normalizerv1.ListEventsRequest{PageToken: token, Filter: "provider = incode"}, invalid("page_token", otherRequest)},
		{"no filter", &normalizerv1.ListEventsRequest{PageToken: token}, invalid("page_token", otherRequest)},
		{"a changed token", &normalizerv1.ListEventsRequest{PageToken: string(changed), Filter: "provider = clip"}, invalid("page_token", otherRequest)},
		{"no token at all", &normalizerv1.ListEventsRequest{PageToken: "page 2"}, invalid("page_token", "not a token of this server")},
		{"a long filter", &normalizerv1.ListEventsRequest{Filter: strings.Repeat(" ", 2049)}, invalid("filter", "must be at most 2048 characters")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client.ListEvents(ctx(t), tt.request)
			if diff := cmp.Diff(tt.want, failureOf(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	_, err = normalizerv1.NewPaymentServiceClient(w.conn).ListPayments(ctx(t), &normalizerv1.ListPaymentsRequest{PageToken: token, Filter: "provider = clip"})
	if diff := cmp.Diff(invalid("page_token", otherRequest), failureOf(err)); diff != "" {
		t.Errorf("a token of another method (-want +got):\n%s", diff)
	}
}

func TestWatchEventsStartsWhereItIsTold(t *testing.T) {
	w := newWorld(t)
	w.publishUpTo(10)
	tests := []struct {
		name    string
		request *normalizerv1.WatchEventsRequest
		want    []int64 // and what follows
	}{
		{"from the first event", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(0)}, []int64{1, 2, 3}},
		{"after a cursor", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(8)}, []int64{9, 10, 11}},
		{"after the last cursor", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(10)}, []int64{11}},
		{"from a time on", &normalizerv1.WatchEventsRequest{AfterTime: timestamppb.New(event(9).GetReceiveTime().AsTime())}, []int64{9, 10, 11}},
		{"from a time to come", &normalizerv1.WatchEventsRequest{AfterTime: timestamppb.New(event(99).GetReceiveTime().AsTime())}, []int64{11}},
		{"from now on", &normalizerv1.WatchEventsRequest{}, []int64{11}},
		{"with a filter", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(0), Filter: "merchant = bolt"}, []int64{1, 3, 5, 7, 9, 11}},
	}
	var streams []interface {
		Recv() (*normalizerv1.WatchEventsResponse, error)
	}
	for _, tt := range tests {
		stream, err := normalizerv1.NewEventServiceClient(w.conn).WatchEvents(ctx(t), tt.request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Header(); err != nil { // it is watching now
			t.Fatalf("%s: %v", tt.name, err)
		}
		streams = append(streams, stream)
	}
	w.publish(event(11))
	for i, tt := range tests {
		var got []int64
		for range tt.want {
			m, err := streams[i].Recv()
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if m.GetCursor() != m.GetEvent().GetCursor() {
				t.Errorf("%s: cursor %d with event %d", tt.name, m.GetCursor(), m.GetEvent().GetCursor())
			}
			got = append(got, m.GetCursor())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: events are %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestWatchEventsRefusesWhatItCannotDo(t *testing.T) {
	w := newWorld(t)
	w.publishUpTo(10)
	w.first = 5 // what came before is trimmed
	notKept := failure{Code: codes.OutOfRange, Reason: "CURSOR_NOT_KEPT", Message: "the cursor is below what is kept; start from the first event that is"}
	tests := []struct {
		name    string
		request *normalizerv1.WatchEventsRequest
		want    failure
	}{
		{"below what is kept", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(3)}, notKept},
		{"a time before what is kept", &normalizerv1.WatchEventsRequest{AfterTime: event(3).GetReceiveTime()}, notKept},
		{
			"beyond the last event", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(11)},
			failure{Code: codes.OutOfRange, Reason: "CURSOR_OUT_OF_RANGE", Message: "the cursor is beyond the last event"},
		},
		{
			"cursor and time", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(0), AfterTime: timestamppb.New(noon())},
			invalid("after_time", "not together with after_cursor"),
		},
		{"no time", &normalizerv1.WatchEventsRequest{AfterTime: &timestamppb.Timestamp{Nanos: -1}}, invalid("after_time", "not a time")},
		{"negative cursor", &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(-1)}, invalid("after_cursor", "must be greater than or equal to 0")},
		{"filter", &normalizerv1.WatchEventsRequest{Filter: "provider"}, invalid("filter", `at byte 8: field "provider" needs one of = and !=`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream, err := normalizerv1.NewEventServiceClient(w.conn).WatchEvents(ctx(t), tt.request)
			if err == nil {
				_, err = stream.Recv()
			}
			if diff := cmp.Diff(tt.want, failureOf(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEventOfTheListIsAPlaceToWatchFrom(t *testing.T) {
	w := newWorld(t)
	w.publishUpTo(2)
	w.apply(event(3)) // in the view, and the hub has not heard of it yet
	client := normalizerv1.NewEventServiceClient(w.conn)
	list, err := client.ListEvents(ctx(t), &normalizerv1.ListEventsRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := client.WatchEvents(ctx(t), &normalizerv1.WatchEventsRequest{AfterCursor: proto.Int64(list.GetEvents()[0].GetCursor())})
	if err != nil {
		t.Fatal(err)
	}
	w.hub.Publish([]*eventv1.PaymentStatusChanged{event(3)}, 3)
	w.publish(event(4))
	if m, err := stream.Recv(); err != nil || m.GetCursor() != 4 {
		t.Errorf("got %v, %v, want event 4", m, err)
	}
}

func TestStoppingEndsWatchesAsUnavailable(t *testing.T) {
	w := newWorld(t)
	stream, err := normalizerv1.NewEventServiceClient(w.conn).WatchEvents(ctx(t), &normalizerv1.WatchEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil {
		t.Fatal(err)
	}
	w.hub.Close()
	w.server.GracefulStop()
	_, err = stream.Recv()
	got := failureOf(err)
	if got.Code != codes.Unavailable || got.Reason != "STOPPING" || got.Retry == 0 {
		t.Errorf("a watch ends with %+v", got)
	}
}

func TestAClientThatLeavesEndsItsWatch(t *testing.T) {
	w := newWorld(t)
	stream, err := normalizerv1.NewEventServiceClient(w.conn).WatchEvents(ctx(t), &normalizerv1.WatchEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil {
		t.Fatal(err)
	}
	if err := w.conn.Close(); err != nil {
		t.Fatal(err)
	}
	w.server.GracefulStop() // waits for it
	if log := w.log.Take(); strings.Contains(log, "WARN") || strings.Contains(log, "ERROR") {
		t.Errorf("leaving is logged:\n%s", log)
	}
}
