use super::{check, owned};
use crate::Error;
use std::ffi::{CString, c_char, c_int};
use std::time::Duration;
use tch::Tensor;
use torch_sys::C_tensor;

/// The shim's own.
#[repr(C)]
pub(crate) struct OpaqueStore {
    _nothing: [u8; 0],
}

/// The shim's own.
#[repr(C)]
pub(crate) struct OpaqueGroup {
    _nothing: [u8; 0],
}

unsafe extern "C" {
    fn electra_torch_open_store(
        host: *const c_char,
        port: u16,
        is_server: bool,
        prefix: *const c_char,
        timeout_ms: i64,
        opened: *mut *mut OpaqueStore,
    ) -> *mut c_char;
    fn electra_torch_store_port(store: *const OpaqueStore) -> u16;
    fn electra_torch_store_set(
        store: *mut OpaqueStore,
        key: *const c_char,
        bytes: *const u8,
        count: usize,
    ) -> *mut c_char;
    fn electra_torch_store_has(store: *mut OpaqueStore, key: *const c_char, found: *mut bool) -> *mut c_char;
    fn electra_torch_store_get(
        store: *mut OpaqueStore,
        key: *const c_char,
        text: *mut *mut c_char,
    ) -> *mut c_char;
    fn electra_torch_store_add(
        store: *mut OpaqueStore,
        key: *const c_char,
        count: i64,
        sum: *mut i64,
    ) -> *mut c_char;
    fn electra_torch_drop_store(store: *mut OpaqueStore) -> *mut c_char;
    fn electra_torch_gloo(
        store: *const OpaqueStore,
        rank: c_int,
        size: c_int,
        address: *const c_char,
        interface_name: *const c_char,
        timeout_ms: i64,
        group: *mut *mut OpaqueGroup,
    ) -> *mut c_char;
    fn electra_torch_nccl(
        store: *const OpaqueStore,
        rank: c_int,
        size: c_int,
        device: u64,
        timeout_ms: i64,
        group: *mut *mut OpaqueGroup,
    ) -> *mut c_char;
    fn electra_torch_all_reduce(
        group: *mut OpaqueGroup,
        tensor: *const C_tensor,
        is_maximum: bool,
    ) -> *mut c_char;
    fn electra_torch_broadcast(group: *mut OpaqueGroup, tensor: *const C_tensor, root: c_int) -> *mut c_char;
    fn electra_torch_exchange(
        group: *mut OpaqueGroup,
        sent: *const C_tensor,
        received: *const C_tensor,
        partner: c_int,
    ) -> *mut c_char;
    fn electra_torch_drop_group(group: *mut OpaqueGroup) -> *mut c_char;
}

fn text(text: &str) -> Result<CString, Error> {
    CString::new(text)
        .map_err(|_| Error::Torch { message: format!("{text:?} has a zero in it; expected none") })
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn number(rank: usize) -> Result<c_int, Error> {
    c_int::try_from(rank).map_err(|_| Error::Torch { message: format!("rank {rank} of a group") })
}

/// A store of libtorch's.
#[derive(Debug)]
pub(crate) struct Store(*mut OpaqueStore);

impl Store {
    pub(crate) fn open(
        host: &str,
        port: u16,
        is_server: bool,
        prefix: &str,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let (host, prefix) = (text(host)?, text(prefix)?);
        let mut opened = std::ptr::null_mut();
        // SAFETY: both texts are closed by a zero, and the last pointer is to a live pointer.
        check(unsafe {
            electra_torch_open_store(
                host.as_ptr(),
                port,
                is_server,
                prefix.as_ptr(),
                milliseconds(timeout),
                &raw mut opened,
            )
        })?;
        Ok(Self(opened))
    }

    pub(crate) fn port(&self) -> u16 {
        // SAFETY: the shim's store lives as long as this.
        unsafe { electra_torch_store_port(self.0) }
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        let key = text(key)?;
        // SAFETY: the store lives, the key is closed by a zero, and the bytes are as many as said.
        check(unsafe { electra_torch_store_set(self.0, key.as_ptr(), value.as_ptr(), value.len()) })
    }

    pub(crate) fn has(&self, key: &str) -> Result<bool, Error> {
        let key = text(key)?;
        let mut found = false;
        // SAFETY: the store lives, the key is closed by a zero, and the pointer is to a live bool.
        check(unsafe { electra_torch_store_has(self.0, key.as_ptr(), &raw mut found) })?;
        Ok(found)
    }

    pub(crate) fn get(&self, key: &str) -> Result<String, Error> {
        let key = text(key)?;
        let mut value = std::ptr::null_mut();
        // SAFETY: the store lives, the key is closed by a zero, and the pointer is to a live pointer.
        check(unsafe { electra_torch_store_get(self.0, key.as_ptr(), &raw mut value) })?;
        // SAFETY: a text of the shim's, closed by a zero, which is given back once.
        Ok(unsafe { owned(value) })
    }

    pub(crate) fn add(&self, key: &str, count: i64) -> Result<i64, Error> {
        let key = text(key)?;
        let mut sum = 0;
        // SAFETY: the store lives, the key is closed by a zero, and the pointer is to a live integer.
        check(unsafe { electra_torch_store_add(self.0, key.as_ptr(), count, &raw mut sum) })?;
        Ok(sum)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: the shim's store is given back once. There is nobody to tell what goes wrong.
        let _ = check(unsafe { electra_torch_drop_store(self.0) });
    }
}

/// A group of libtorch's.
#[derive(Debug)]
pub(crate) struct Group(*mut OpaqueGroup);

impl Group {
    pub(crate) fn gloo(
        store: &Store,
        rank: usize,
        size: usize,
        address: Option<&str>,
        interface: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let (address, interface) = (address.map(text).transpose()?, interface.map(text).transpose()?);
        let pointer = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        let mut group = std::ptr::null_mut();
        // SAFETY: the store lives, the texts are null or closed by a zero, and the last pointer is to a live pointer.
        check(unsafe {
            electra_torch_gloo(
                store.0,
                number(rank)?,
                number(size)?,
                pointer(&address),
                pointer(&interface),
                milliseconds(timeout),
                &raw mut group,
            )
        })?;
        Ok(Self(group))
    }

    pub(crate) fn nccl(
        store: &Store,
        rank: usize,
        size: usize,
        device: usize,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let mut group = std::ptr::null_mut();
        // SAFETY: the store lives, and the pointer is to a live pointer.
        check(unsafe {
            electra_torch_nccl(
                store.0,
                number(rank)?,
                number(size)?,
                device as u64,
                milliseconds(timeout),
                &raw mut group,
            )
        })?;
        Ok(Self(group))
    }

    pub(crate) fn all_reduce(&self, tensor: &mut Tensor, is_maximum: bool) -> Result<(), Error> {
        // SAFETY: group and tensor live until the call is over.
        check(unsafe { electra_torch_all_reduce(self.0, tensor.as_ptr(), is_maximum) })
    }

    pub(crate) fn broadcast(&self, tensor: &mut Tensor, root: usize) -> Result<(), Error> {
        let root = number(root)?;
        // SAFETY: group and tensor live until the call is over.
        check(unsafe { electra_torch_broadcast(self.0, tensor.as_ptr(), root) })
    }

    pub(crate) fn exchange(&self, sent: &Tensor, received: &mut Tensor, partner: usize) -> Result<(), Error> {
        let partner = number(partner)?;
        // SAFETY: group and tensors live until the call is over.
        check(unsafe { electra_torch_exchange(self.0, sent.as_ptr(), received.as_ptr(), partner) })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: the shim's group is given back once. There is nobody to tell what goes wrong.
        let _ = check(unsafe { electra_torch_drop_group(self.0) });
    }
}
