package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// notification is what Clip sends.
type notification struct {
	Payment     string  `json:"payment_request_id"`
	Transaction string  `json:"transaction_id"`
	Resource    string  `json:"resource"`
	Status      string  `json:"resource_status"`
	PaymentType *string `json:"payment_type"`
	CreatedAt   string  `json:"created_at"`
	CompletedAt *string `json:"completed_at"`
	Reference   *string `json:"me_reference_id"`
}

// event is what is published.
type event struct {
	Provider    string    `json:"provider"`
	Merchant    string    `json:"merchant"`
	Payment     string    `json:"provider_payment_id"`
	Attempt     string    `json:"provider_attempt_id"`
	Status      string    `json:"status"`
	Word        string    `json:"provider_status"`
	Method      string    `json:"method,omitempty"`
	Reference   string    `json:"merchant_reference,omitempty"`
	OccurTime   string    `json:"occur_time"`
	ReceiveTime time.Time `json:"receive_time"`
	// Raw is what the provider sent, without which nothing could be looked at again.
	Raw json.RawMessage `json:"raw"`
}

// receiver takes Clip's webhooks.
type receiver struct {
	js    jetstream.JetStream
	token []byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if subtle.ConstantTimeCompare([]byte(req.URL.Query().Get("token")), r.token) != 1 {
		http.Error(w, "not authentic", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	e, err := normalize(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	e.Merchant, e.ReceiveTime = req.PathValue("merchant"), time.Now().UTC()
	if err := r.publish(req.Context(), e); err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (r *receiver) publish(ctx context.Context, e event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m := &nats.Msg{Subject: "payments.v1.live.clip." + e.Merchant + ".payment." + e.Status, Data: data}
	_, err = r.js.PublishMsg(ctx, m, jetstream.WithMsgID(e.Payment+"/"+e.Attempt+"/"+e.Word))
	return err
}

func normalize(body []byte) (event, error) {
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return event{}, errors.New("the body is not JSON")
	}
	e := event{Provider: "clip", Payment: n.Payment, Attempt: n.Transaction, Word: n.Status, OccurTime: n.CreatedAt, Raw: body}
	switch {
	case n.Payment == "" || n.Resource != "CHECKOUT":
		return event{}, errors.New("not a checkout")
	case n.Status == "COMPLETED":
		e.Status = "paid"
	case n.Status == "CREATED", n.Status == "PENDING":
		e.Status = "pending"
	case n.Status == "CANCELED", n.Status == "EXPIRED":
		e.Status = strings.ToLower(n.Status)
	default:
		return event{}, errors.New("unknown status")
	}
	if n.CompletedAt != nil {
		e.OccurTime = *n.CompletedAt
	}
	if n.PaymentType != nil {
		e.Method = strings.ToLower(*n.PaymentType)
	}
	if n.Reference != nil {
		e.Reference = *n.Reference
	}
	return e, nil
}
