package io.millrace.account;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.lang.JoseException;

/**
 * The key that access tokens are signed with, and those they are checked with.
 *
 * @param keyId names the public key that belongs to {@code privateKey}
 * @param publicKeys by their ids, which are their RFC 7638 thumbprints
 */
public record SigningKeys(PrivateKey privateKey, String keyId, Map<String, ECPublicKey> publicKeys) {
    /** Makes a pair that {@link #read} takes. */
    public static final String HOW_TO_MAKE = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out private.pem && "
            + "openssl pkey -in private.pem -pubout -out public.pem";

    private static final int P256_BITS = 256;
    private static final byte[] PROBE = "do these two belong together".getBytes(StandardCharsets.US_ASCII);

    /**
     * @param publicKeys one of them belongs to the private key
     * @throws IllegalArgumentException if a file cannot be used; the message says which and why, and nothing of what it holds
     */
    public static SigningKeys read(Path privateKey, List<Path> publicKeys) {
        PrivateKey signing = parse(privateKey, "PRIVATE KEY", der -> ec().generatePrivate(new PKCS8EncodedKeySpec(der)));
        Map<String, ECPublicKey> checking = new LinkedHashMap<>();
        for (Path file : publicKeys) {
            ECPublicKey key = (ECPublicKey) parse(file, "PUBLIC KEY", der -> ec().generatePublic(new X509EncodedKeySpec(der)));
            if (key.getParams().getCurve().getField().getFieldSize() != P256_BITS) {
                throw new IllegalArgumentException(file + " holds a key of another curve than P-256");
            }
            checking.put(idOf(key), key);
        }
        return of(signing, checking, privateKey.toString());
    }

    /** A pair that only this process knows. */
    static SigningKeys generate() {
        KeyPair pair = generatePair();
        ECPublicKey key = (ECPublicKey) pair.getPublic();
        return of(pair.getPrivate(), Map.of(idOf(key), key), "the new key");
    }

    /**
     * A new pair, for whoever has no openssl.
     *
     * @throws FileAlreadyExistsException if one of the files is there: it is left as it is
     */
    public static void makeNewFiles(Path privateKey, Path publicKey) throws IOException {
        for (Path file : List.of(privateKey, publicKey)) {
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new FileAlreadyExistsException(file.toString());
            }
        }
        KeyPair pair = generatePair();
        Files.writeString(create(privateKey), pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
        Files.writeString(create(publicKey), pem("PUBLIC KEY", pair.getPublic().getEncoded()));
    }

    /** Of many processes that do this at once, one makes the pair, and all read the same. */
    public static void makeFiles(Path privateKey, Path publicKey) throws IOException {
        if (Files.exists(privateKey) && Files.exists(publicKey)) {
            return;
        }
        Path folder = Files.createDirectories(privateKey.toAbsolutePath().getParent());
        Path lock = folder.resolve("making-keys");
        try (var channel = java.nio.channels.FileChannel.open(lock, java.nio.file.StandardOpenOption.CREATE,
                java.nio.file.StandardOpenOption.WRITE); var held = channel.lock()) {
            if (!held.isValid() || Files.exists(privateKey) && Files.exists(publicKey)) {
                return;
            }
            KeyPair pair = generatePair();
            write(publicKey, "PUBLIC KEY", pair.getPublic().getEncoded());
            write(privateKey, "PRIVATE KEY", pair.getPrivate().getEncoded());
        }
    }

    private static void write(Path file, String title, byte[] der) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            create(part);
        } catch (FileAlreadyExistsException leftByACrash) {
            // written anew
        }
        Files.writeString(part, pem(title, der));
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** For its owner alone, from the first moment on. */
    private static Path create(Path file) throws IOException {
        try {
            return Files.createFile(file,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (UnsupportedOperationException notPosix) {
            return Files.createFile(file);
        }
    }

    private static String pem(String title, byte[] der) {
        return "-----BEGIN " + title + "-----\n" + Base64.getMimeEncoder(64, new byte[]{'\n'}).encodeToString(der)
                + "\n-----END " + title + "-----\n";
    }

    private static KeyPair generatePair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no P-256", e);
        }
    }

    private static SigningKeys of(PrivateKey signing, Map<String, ECPublicKey> checking, String where) {
        String keyId = checking.entrySet().stream().filter(key -> belongTogether(signing, key.getValue()))
                .map(Map.Entry::getKey).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no public key belongs to " + where));
        return new SigningKeys(signing, keyId, Map.copyOf(checking));
    }

    private static boolean belongTogether(PrivateKey signing, ECPublicKey checking) {
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(signing);
            signature.update(PROBE);
            byte[] signed = signature.sign();
            signature.initVerify(checking);
            signature.update(PROBE);
            return signature.verify(signed);
        } catch (GeneralSecurityException otherCurve) {
            return false;
        }
    }

    private static String idOf(ECPublicKey key) {
        try {
            return PublicJsonWebKey.Factory.newPublicJwk(key).calculateBase64urlEncodedThumbprint("SHA-256");
        } catch (JoseException e) {
            throw new IllegalArgumentException("a public key has no id: " + e.getMessage(), e);
        }
    }

    private interface KeyParser {
        java.security.Key parse(byte[] der) throws GeneralSecurityException;
    }

    @SuppressWarnings("unchecked")
    private static <K extends java.security.Key> K parse(Path file, String title, KeyParser parser) {
        try {
            String pem = Files.readString(file);
            int begin = pem.indexOf("-----BEGIN " + title + "-----");
            int end = pem.indexOf("-----END " + title + "-----");
            if (begin < 0 || end < begin) {
                throw new IllegalArgumentException(file + " is no PEM file with a " + title);
            }
            String base64 = pem.substring(pem.indexOf('\n', begin) + 1, end);
            return (K) parser.parse(Base64.getMimeDecoder().decode(base64));
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read", e);
        } catch (GeneralSecurityException | IllegalArgumentException | StringIndexOutOfBoundsException e) {
            throw e.getMessage() != null && e.getMessage().startsWith(file.toString())
                    ? (IllegalArgumentException) e
                    : new IllegalArgumentException(file + " holds no EC key (P-256, and PKCS#8 if it is private)");
        }
    }

    private static KeyFactory ec() throws GeneralSecurityException {
        return KeyFactory.getInstance("EC");
    }

    /** A record would print what it holds. */
    @Override
    public String toString() {
        return "SigningKeys[" + keyId + " of " + publicKeys.keySet() + "]";
    }

}
