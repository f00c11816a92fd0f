//! The development authority and what it signs.

use std::time::Duration;

use plexus_stdx::calendar::DAY;
use plexus_terminal::{Failure, chain};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber, date_time_ymd,
};
use rustls::{
    RootCertStore,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use super::files::Folder;
/// How the authority is called, so that nobody takes it for more than it is.
const NAME: &str = "Plexus development CA (not for production)";
const AUTHORITY_DAYS: u64 = 3_650;
/// Clocks of other machines may be behind.
const BEFORE: u64 = DAY;

/// A certificate and its key as PEM.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// The authority: one that was in the folder, or a new one.
pub(super) struct Authority {
    pair: Pair,
    issuer: Issuer<'static, KeyPair>,
    is_new: bool,
}

impl Authority {
    /// A new one.
    pub(super) fn make(now: u64) -> Result<Self, Failure> {
        let mut params = name();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        hold(&mut params, (now, AUTHORITY_DAYS))?;
        let key = new_key()?;
        let certificate = params.self_signed(&key).map_err(|error| failed(&error))?;
        let pair = Pair { certificate: certificate.pem(), key: key.serialize_pem() };
        Ok(Self { pair, issuer: Issuer::new(params, key), is_new: true })
    }

    /// The one of these files, if it can sign what holds that long.
    pub(super) fn of(
        folder: &Folder,
        (certificate, key): (String, String),
        (now, days): (u64, u64),
    ) -> Result<Self, Failure> {
        let pair = KeyPair::from_pem(&key).map_err(|_| {
            Failure::Failed(format!("{} holds no key that can sign", folder.shown("ca.key")))
        })?;
        let authority = Self {
            pair: Pair { certificate, key },
            issuer: Issuer::new(name(), pair),
            is_new: false,
        };
        // Whether it is one of ours is seen when it signs.
        let probe = authority.server(&["localhost".to_owned()], (now, days))?;
        let (certificate, key) = (folder.shown("ca.pem"), folder.shown("ca.key"));
        authority.check(&probe, now).map_err(|why| {
            Failure::Failed(format!(
                "{certificate} and {key} cannot sign: {why}; use another --dir, or remove both \
                 and what they signed"
            ))
        })?;
        authority.check(&probe, end(now, days)).map_err(|_| {
            Failure::Failed(format!("{certificate} ends within {days} days; use fewer --days"))
        })?;
        Ok(authority)
    }

    /// A certificate for a broker of these names, the first of which it is called by.
    pub(super) fn server(&self, names: &[String], from: (u64, u64)) -> Result<Pair, Failure> {
        let mut params = CertificateParams::new(names.to_vec()).map_err(|error| failed(&error))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params, "Plexus development broker", from)
    }

    /// A certificate for a client of that name.
    pub(super) fn client(&self, name: &str, from: (u64, u64)) -> Result<Pair, Failure> {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, name, from)
    }

    /// Its certificate as PEM.
    pub(super) fn certificate(&self) -> &str {
        &self.pair.certificate
    }

    /// Its key as PEM.
    pub(super) fn key(&self) -> &str {
        &self.pair.key
    }

    /// Whether it has not been written yet.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        name: &str,
        from: (u64, u64),
    ) -> Result<Pair, Failure> {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        hold(&mut params, from)?;
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| failed(&error))?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// Whether a client that trusts this authority believes a certificate at that moment.
    fn check(&self, pair: &Pair, at: u64) -> Result<(), String> {
        let read = |pem: &str| {
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| "it is no certificate")
        };
        let mut roots = RootCertStore::empty();
        roots.add(read(&self.pair.certificate)?).map_err(|error| chain(&error))?;
        let own = read(&pair.certificate)?;
        let own = ParsedCertificate::try_from(&own).map_err(|error| chain(&error))?;
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(at));
        verify_server_cert_signed_by_trust_anchor(&own, &roots, &[], now, algorithms.all)
            .map_err(|_| "they are no pair that `plexus cert dev` made, or have ended".to_owned())
    }
}

/// The last moment of a certificate that is made now for so many days.
pub(super) fn end(now: u64, days: u64) -> u64 {
    now.saturating_add(days.saturating_mul(DAY))
}

fn name() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params
}

/// From a day ago on for so many days, under a number of its own.
fn hold(params: &mut CertificateParams, (now, days): (u64, u64)) -> Result<(), Failure> {
    let at = |moment| date_time_ymd(1970, 1, 1) + Duration::from_secs(moment);
    params.not_before = at(now.saturating_sub(BEFORE));
    params.not_after = at(end(now, days));
    let mut number = [0; 16];
    getrandom::fill(&mut number)
        .map_err(|error| Failure::Failed(format!("the system gives no random numbers: {error}")))?;
    // Neither negative nor shorter than the others.
    if let Some(first) = number.first_mut() {
        *first = *first & 0x3F | 0x40;
    }
    params.serial_number = Some(SerialNumber::from(number.to_vec()));
    Ok(())
}

fn new_key() -> Result<KeyPair, Failure> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| failed(&error))
}

fn failed(error: &rcgen::Error) -> Failure {
    Failure::because("cannot make a certificate", error)
}
