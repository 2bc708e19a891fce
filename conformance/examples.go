package main

// examples is everything this program checks, in the order it runs. Each stands alone.
var examples = []example{
	{"seed/go/upsert-two-users", seedUpsertTwo},
	{"seed/go/upsert-custom-image-role", seedUpsertFull},
	{"seed/go/upsert-admin", seedUpsertAdmin},
	{"seed/go/partial-set-new-field-unset-name", seedPartial},
	{"seed/go/deactivate-reactivate", seedDeactivateReactivate},
	{"seed/go/user-token-refused", seedUserToken},
	{"seed/go/call-token-refused", seedCallToken},
	{"seed/shell/user-token-in-go-refused", seedTokenByHand},
	{"seed/shell/user-token-openssl-refused", seedTokenByShell},
	{"seed/curl/get-app", seedCurl},

	{"twin/curl/get-app", twinCurl},
	{"twin/js/upsert", twinUpsert(javascript, "")},
	{"twin/js/replace-then-partial", twinPartial},
	{"twin/js/deactivate-reactivate", twinLifecycle(javascript)},
	{"twin/js/explicit-empty-lists", twinEmptyLists},
	{"twin/python/upsert-null-lists", twinUpsert(python, `,"teams":null,"teams_role":null`)},
	{"twin/python/deactivate-reactivate", twinLifecycle(python)},
	{"twin/java/upsert-empty-lists", twinUpsert(java, `,"teams":[],"teams_role":{}`)},
	{"twin/java/upsert-then-partial-country", twinJava},
	{"twin/java/deactivate-reactivate", twinLifecycle(java)},
	{"twin/java/path-segments", twinPathSegments},
	{"twin/all/query-by-id", twinQuery},

	{"upsert/only-id-has-exactly-the-required-fields", upsertOnlyID},
	{"upsert/role-teams-teams-role", upsertRoleAndTeams},
	{"upsert/custom-round-trip", upsertCustom},
	{"upsert/again-replaces-profile-keeps-rest", upsertReplaces},
	{"upsert/privacy-settings", upsertPrivacy},
	{"upsert/times", upsertTimes},
	{"upsert/ids-mixed-case-and-at", upsertIDs},

	{"partial/country-then-unset", partialCountry},
	{"partial/teams", partialTeams},
	{"partial/privacy-settings-merge", partialPrivacy},
	{"partial/unset-custom", partialUnsetCustom},
	{"partial/dotted-paths", partialPaths},

	{"query/by-id", queryByID},
	{"query/offset-limit", queryOffsetLimit},
	{"query/default-order", queryOrder},
	{"query/deactivated", queryDeactivated},
	{"query/without-filter", queryWithoutFilter},

	{"lifecycle/sequence", lifecycleSequence},
	{"lifecycle/user-response-fields", lifecycleShape},

	{"app/complete", appComplete},
	{"app/enforce-unique-usernames", appUniqueUsernames},
	{"app/file-upload-config", appFileUploads},
	{"app/event-hooks", appHooks},

	{"limits/default", limitsDefault},
	{"limits/server-side-only", limitsServerSide},
	{"limits/two-endpoints-two-platforms", limitsNamed("QueryUsers,UpdateUsers")},
	{"limits/names-of-other-products", limitsNamed("GetRateLimits,SendMessage")},
	{"limits/headers-everywhere", limitsHeaders},

	{"refuse/bad-signature", refuseCredential(43, "Token signature is invalid", forged)},
	{"refuse/unknown-key", refuseCredential(2, "", strangerKey)},
	{"refuse/no-token", refuseCredential(5, "", noToken)},
	{"refuse/expired-token", refuseCredential(40, "", expired)},
	{"refuse/token-from-the-future", refuseCredential(42, "", fromTheFuture)},
	{"refuse/unknown-route", refuseRoute},
	{"refuse/unknown-user", refuseUnknown},
	{"refuse/hundred-and-one-users", refuseTooMany},
	{"refuse/bad-user-stores-nobody", refuseBadUser},

	{"transport/trailing-slash", transportTrailingSlash},
}
