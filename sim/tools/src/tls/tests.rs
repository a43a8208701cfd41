use std::sync::Arc;

use super::*;

const NOW: u64 = 1_735_689_600;
const YEAR: u64 = 365 * 24 * 3600;

fn authority(name: &str) -> Authority {
    let wanted =
        Wanted { subject: "CN=kubernetes", names: &[], role: Role::Authority, valid: (NOW, NOW + 10 * YEAR) };
    Authority::new(&wanted, Key::of(name)).unwrap()
}

fn server(authority: &Authority) -> Arc<Identity> {
    let names = [
        AltName::Dns("kubernetes".to_owned()),
        AltName::Dns("*.example.com".to_owned()),
        AltName::Ip([10, 96, 0, 1].into()),
    ];
    let wanted =
        Wanted { subject: "CN=kube-apiserver", names: &names, role: Role::Server, valid: (NOW, NOW + YEAR) };
    let key = Key::of("server");
    Arc::new(Identity { chain: vec![authority.issue(&wanted, &key).unwrap()], key })
}

/// Carries bytes to and fro until both are silent.
fn converse(client: &mut ClientSession, server: &mut ServerSession) -> Result<(), ClientFailure> {
    loop {
        let (to_server, to_client) = (client.to_send(), server.to_send());
        if to_server.is_empty() && to_client.is_empty() {
            return Ok(());
        }
        server.take(&to_server).unwrap();
        // Pieces as TCP makes them.
        to_client.chunks(100).try_for_each(|piece| client.take(piece))?;
    }
}

#[test]
fn a_session_carries_data_both_ways() {
    let authority = authority("ca");
    let trusted = vec![authority.certificate.clone()];
    let mut client = ClientSession::new("10.96.0.1", Check::Refuse, trusted, NOW, [7; 32]);
    let mut server = ServerSession::new(server(&authority));
    converse(&mut client, &mut server).unwrap();
    assert!(client.is_established() && server.is_established());
    assert_eq!(client.protocol(), Some("http/1.1"));
    let long = vec![b'x'; 40_000];
    server.take(&client.seal(&long)).unwrap();
    assert_eq!(server.opened(), long);
    client.take(&server.seal(b"answer")).unwrap();
    assert_eq!(client.opened(), b"answer");
    server.close();
    client.take(&server.to_send()).unwrap();
    assert!(client.has_ended());
    let subject = client.certificate().map(|own| (own.subject(), own.issuer(), own.dates().0));
    let expected = ("CN=kube-apiserver", "CN=kubernetes", "Jan  1 00:00:00 2025 GMT");
    assert_eq!(subject, Some((expected.0.to_owned(), expected.1.to_owned(), expected.2.to_owned())));
}

#[test]
fn who_is_trusted() {
    let (own, other) = (authority("ca"), authority("other"));
    let identity = server(&own);
    let alone = Arc::new(Identity { chain: vec![own.certificate.clone()], key: Key::of("ca") });
    let whole = Arc::new(Identity {
        chain: vec![identity.chain[0].clone(), own.certificate.clone()],
        key: identity.key,
    });
    for (identity, trusted, now, expected) in [
        (&identity, vec![own.certificate.clone()], NOW, Ok(())),
        (&identity, vec![other.certificate.clone(), own.certificate.clone()], NOW, Ok(())),
        (&identity, identity.chain.clone(), NOW, Ok(())),
        (&identity, Vec::new(), NOW, Err(Untrusted::NoIssuer)),
        (&identity, vec![other.certificate.clone()], NOW, Err(Untrusted::NoIssuer)),
        (&identity, vec![own.certificate.clone()], NOW - 1, Err(Untrusted::NotYetValid)),
        (&identity, vec![own.certificate.clone()], NOW + 2 * YEAR, Err(Untrusted::Expired)),
        (&alone, Vec::new(), NOW, Err(Untrusted::SelfSigned)),
        (&whole, Vec::new(), NOW, Err(Untrusted::SelfSignedInChain)),
    ] {
        let mut client = ClientSession::new("kubernetes", Check::Refuse, trusted.clone(), now, [7; 32]);
        let mut server = ServerSession::new(Arc::clone(identity));
        let outcome = converse(&mut client, &mut server);
        assert_eq!(outcome, expected.map_err(ClientFailure::Untrusted));
        if expected.is_err() {
            let told = server.take(&client.to_send());
            assert!(matches!(told, Err(ServerFailure::Alert(_))), "{told:?}");
            let mut client = ClientSession::new("kubernetes", Check::Continue, trusted, now, [7; 32]);
            let mut server = ServerSession::new(Arc::clone(identity));
            assert_eq!(converse(&mut client, &mut server), Ok(()));
            assert_eq!(client.verified(), expected);
        }
    }
}

#[test]
fn a_client_may_have_a_certificate() {
    let authority = authority("ca");
    let wanted = Wanted {
        subject: "CN=kubernetes-admin,O=kubeadm:cluster-admins",
        names: &[],
        role: Role::Client,
        valid: (NOW, NOW + YEAR),
    };
    let key = Key::of("admin");
    let own = authority.issue(&wanted, &key).unwrap();
    let text = format!("{}{}", own.pem(), authority.certificate.pem());
    let identity = Identity::from_pem(&text, &key.pem()).unwrap();
    assert_eq!(
        Identity::from_pem(&text, &Key::of("x").pem()),
        Err("tls: private key does not match public key".to_owned())
    );
    let mut client = ClientSession::new("10.96.0.1", Check::Continue, Vec::new(), NOW, [7; 32])
        .with_identity(Some(identity));
    let mut server = ServerSession::new(server(&authority));
    converse(&mut client, &mut server).unwrap();
    assert_eq!(verify(server.client(), &[authority.certificate], NOW), Ok(()));
    assert_eq!(own.subject(), "O=kubeadm:cluster-admins; CN=kubernetes-admin");
    assert_eq!(own.common_name().as_deref(), Some("kubernetes-admin"));
    assert_eq!(own.organizations(), ["kubeadm:cluster-admins"]);
}

#[test]
fn names_of_a_certificate() {
    let own = &server(&authority("ca")).chain[0];
    for (host, fits) in [
        ("kubernetes", true),
        ("Kubernetes", true),
        ("kubernetes.default", false),
        ("a.example.com", true),
        ("a.b.example.com", false),
        ("example.com", false),
        ("10.96.0.1", true),
        ("10.96.0.10", false),
    ] {
        assert_eq!(check_name(own, host).is_ok(), fits, "{host}");
    }
    assert_eq!(check_name(own, "x"), Err(Mismatch::AltNames));
}

#[test]
fn strangers_are_recognized() {
    for (bytes, expected) in [
        (&b"GET / HTTP/1.1\r\n"[..], ServerFailure::Http),
        (b"POST / HTTP/1.1\r\n", ServerFailure::Http),
        (b"hello, server", ServerFailure::NotTls),
        (b"\x16\x02\x00\x00\x01x", ServerFailure::NotTls),
    ] {
        let mut server = ServerSession::new(server(&authority("ca")));
        assert_eq!(server.take(bytes), Err(expected));
    }
    let mut client = ClientSession::new("a", Check::Continue, Vec::new(), NOW, [7; 32]);
    assert_eq!(client.take(b"HTTP/1.1 400 Bad Request\r\n"), Err(ClientFailure::NotTls));
    for broken in
        ["", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAAAA"]
    {
        assert_eq!(Certificate::all_from_pem(broken), None, "{broken}");
    }
}
