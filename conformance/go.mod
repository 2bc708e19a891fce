module headwater/conformance

go 1.22
