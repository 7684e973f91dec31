package main

import "testing"

func TestALicenseIsKnownByItsText(t *testing.T) {
	for text, want := range map[string]string{
		"                                 Apache License\n                           Version 2.0, January 2004\n":                             "Apache-2.0",
		"Copyright\n\nPermission is hereby granted, free of charge,\nto any person obtaining a copy of this":                                  "MIT",
		"// Redistribution and use in source and binary forms, with or\n// without modification, are permitted provided":                      "BSD",
		"GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n Permission is hereby granted, free of charge, to any person obtaining a copy": "",
		"GNU AFFERO GENERAL PUBLIC LICENSE": "",
		"All rights reserved.":              "",
		"":                                  "",
	} {
		if got, ok := identify(text); got != want || ok != (want != "") {
			t.Errorf("%.40q: got %q, %t, want %q", text, got, ok, want)
		}
	}
}
