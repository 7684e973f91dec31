package aciopp

import (
	"slices"

	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
)

// family says what a preauthorization means on a brand.
type family uint8

const (
	anyFamily family = iota // not looked at, or not known
	cards                   // the funds are held
	vouchers                // something to pay was issued; the money comes with an RC
)

// suffix names the family in the mapping table.
func (f family) suffix() string {
	switch f {
	case cards:
		return " on a card brand"
	case vouchers:
		return " on a voucher brand"
	default:
		return ""
	}
}

// brandFamily is the brands of one payment method.
type brandFamily struct {
	method eventv1.MethodType
	family family
	brands []string
}

// brandFamilies lists the words of paymentBrand. A brand that is missing here is
// not guessed: whether a successful PA holds funds or only prints a slip decides
// what the merchant may ship.
// Sources: the brand lists of https://docs.oppwa.com/reference/parameters and
// https://docs.latam.ppro.com/intro/servertoserver-flow, and the pages on OXXO,
// Baloto, PagoEfectivo and PIX at https://developers.primeiropay.com.
func brandFamilies() []brandFamily {
	return []brandFamily{
		{eventv1.MethodType_METHOD_TYPE_CARD, cards, []string{
			"VISA", "MASTER", "AMEX", "MAESTRO", "DINERS", "DISCOVER", "JCB", "UNIONPAY",
			"VISADEBIT", "VISAELECTRON", "MASTERDEBIT", "VPAY",
			"ELO", "HIPERCARD", "HIPER", "HYPER", "AURA", "CARNET", "MERCADOLIVRE",
			"ALIA", "ALIADEBIT", "ARGENCARD", "AXESS", "CABAL", "CABALDEBIT", "CENCOSUD",
			"NARANJA", "NATIVA", "TARJETASHOPPING",
			"BCMC", "CARTEBANCAIRE", "CARTEBLEUE", "DANKORT", "MADA",
		}},
		{eventv1.MethodType_METHOD_TYPE_CASH_VOUCHER, vouchers, []string{
			"OXXO", "BALOTO", "PAGO_EFECTIVO", "RAPIPAGO", "PAGOFACIL",
		}},
		{eventv1.MethodType_METHOD_TYPE_BANK_SLIP, vouchers, []string{"BOLETO"}},
		{eventv1.MethodType_METHOD_TYPE_BANK_TRANSFER, vouchers, []string{"PIX"}},
	}
}

// brand finds the row of a brand; the zero row when it is not listed.
func (a Adapter) brand(word string) brandFamily {
	for _, f := range a.brands {
		if slices.Contains(f.brands, word) {
			return f
		}
	}
	return brandFamily{}
}
